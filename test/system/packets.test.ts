/** What the packets tier tells: TCP flags, what each peer of a UDP socket exchanged on the wire, when it was on. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PEER_FLAG, SOCKET_FLAG, SOCKET_KIND } from '../../src/capture/layout.js';
import { temporaryDirectory } from '../temporary.js';
import {
  across,
  eventually,
  makeNamespacePair,
  PacketCapture,
  run,
  skipWithoutBpf,
  sumBetween,
  Tap,
  withTraffic,
  type NamespacePair,
  type Options,
  type Report,
  type Row,
  type SocketReport,
} from './harness/index.js';

const skip = await skipWithoutBpf('TCP flags, and octets and packets of each UDP peer');
const directory = temporaryDirectory();

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;

describe('the packets tier', { skip }, () => {
  let tap: Tap;
  let pair: NamespacePair;

  before(async () => {
    tap = await Tap.start('capture.pollIntervalMs=250');
    pair = await makeNamespacePair();
  });
  after(async () => {
    await tap.stop();
    await pair.remove();
  });

  interface Flags {
    readonly sent: number;
    readonly received: number;
    /** Not all of them are known. */
    readonly part: boolean;
  }

  const opened = SYN | ACK;
  const whole = { sent: opened | FIN, received: opened | FIN, part: false };
  const resets: [client: Flags, server: Flags] = [
    { sent: opened | RST, received: opened, part: false },
    { sent: opened, received: opened | RST, part: false },
  ];
  const ends: [how: string, client: Flags, server: Flags][] = [
    ['half-close', whole, whole],
    // The server's FIN comes when the client's socket is in TIME_WAIT, which is no socket any more.
    ['close-by-client', { sent: opened | FIN, received: opened, part: true }, whole],
    ['reset-after-read', ...resets],
    ['reset-before-read', ...resets],
    ['reset-unread', ...resets],
    ['reset-by-server', resets[1], resets[0]],
  ];
  for (const family of ['v4', 'v6', 'mapped']) {
    for (const [how, client, server] of ends) {
      test(`TCP flags of ${how} over ${family}, at both ends`, async (t) => {
        await withTraffic(t, ['tcp_end', { how, family }], async (generator, report) => {
          await generator.finish();
          assert.deepEqual(await flagsAtEnd(report, 'client'), client);
          assert.deepEqual(await flagsAtEnd(report, 'server'), server);
        });
      });
    }

    test(`TCP flags of a refused connect over ${family}`, async (t) => {
      await withTraffic(t, ['tcp_end', { how: 'refused', family }], async (generator, report) => {
        await generator.finish();
        const port = only(report, 'client').remotePort;
        const flags = await eventually(() => flagsOf(last(tap.rows('socket', { remotePort: port }))));
        assert.deepEqual(flags, { sent: SYN, received: RST | ACK, part: false });
      });
    });
  }

  test('TCP flags over a veth, where the two ends are in different namespaces', async (t) => {
    await withTraffic(t, ['tcp_end', { ...across(pair), how: 'half-close' }], async (generator, report) => {
      await generator.finish();
      assert.deepEqual(await flagsAtEnd(report, 'client'), whole);
      assert.deepEqual(await flagsAtEnd(report, 'server'), whole);
    });
  });

  test('TCP flags of a client that asks for ECN, as the accepted socket has them', async (t) => {
    const ecn = ['ip', 'netns', 'exec'] as const;
    for (const { name } of [pair.client, pair.server]) await run(...ecn, name, 'sysctl', '-qw', 'net.ipv4.tcp_ecn=1');
    try {
      await withTraffic(t, ['tcp_end', { ...across(pair), how: 'half-close' }], async (generator, report) => {
        await generator.finish();
        const [ECE, CWR] = [0x40, 0x80];
        const client = { sent: opened | FIN | ECE | CWR, received: opened | FIN | ECE, part: false };
        assert.deepEqual(await flagsAtEnd(report, 'client'), client);
        const server = { sent: client.received, received: client.sent, part: false };
        assert.deepEqual(await flagsAtEnd(report, 'server'), server);
      });
    } finally {
      for (const { name } of [pair.client, pair.server]) await run(...ecn, name, 'sysctl', '-qw', 'net.ipv4.tcp_ecn=2');
    }
  });

  /** PSH is for the kernel to choose. */
  function flagsOf(row: Row<'socket'>): Flags {
    assert.ok(row.flags & SOCKET_FLAG.tcpFlags, 'the flags are known');
    const part = (row.flags & SOCKET_FLAG.tcpFlagsPart) !== 0;
    return { sent: row.sentTcpFlags & ~PSH, received: row.receivedTcpFlags & ~PSH, part };
  }

  function flagsAtEnd(report: Report, side: SocketReport['side']): Promise<Flags> {
    return eventually(() => flagsOf(endOf(tap, only(report, side))));
  }

  const wires: [program: string, options: Options][] = [
    ['udp', { connect: 1 }],
    ['udp', {}],
    ['udp', { peers: 50 }],
    ['udp', { batch: 16 }],
    ['udp', { low: 0, high: 3 }],
    ['udp', { low: 1400, high: 1500 }],
    ['udp', { low: 1500, high: 3100 }],
    ['udp', { low: 2000, high: 60000, datagrams: 50 }],
    ['udp', { wildcard: 1, peers: 5 }],
    ['udp', { receive: 'recv', low: 500 }],
    ['udp', { receive: 'small', low: 500 }],
    ['udp_segments', {}],
    ['udp_segments', { gro: 1 }],
  ];
  for (const family of ['v4', 'v6'] as const) {
    for (const [program, options] of wires) {
      const words = [program, ...Object.entries(options).map((option) => option.join(' ')), family].join(', ');
      test(`octets and packets of each UDP peer are those of the wire: ${words}`, async (t) => {
        const capture = await PacketCapture.start(pair, join(directory, 'wire.pcap'));
        try {
          await withTraffic(t, [program, { ...across(pair, family), ...options }], async (generator, report) => {
            await generator.finish();
            const packets = await capture.stop();
            const client = only(report, 'client');
            for (const peer of report.sockets.filter(({ side }) => side === 'server')) {
              const [near, far] = [
                { address: pair.client[family], port: client.localPort },
                { address: pair.server[family], port: peer.localPort },
              ];
              const up = sumBetween(packets, near, far);
              const down = sumBetween(packets, far, near);
              assert.ok(up.packets > 0);
              const expected = { sent: up, received: down, part: false, final: true };
              await eventually(() => assert.deepEqual(countsOf(client.localPort, far), expected));
              await eventually(() =>
                assert.deepEqual(countsOf(peer.localPort, near), { ...expected, sent: down, received: up }),
              );
            }
          });
        } finally {
          await capture.end();
        }
      });
    }
  }

  test('UDP segments that stay together from end to end count as what they would be on a wire', async (t) => {
    const segment = 700;
    await withTraffic(
      t,
      ['udp_segments', { segment, gro: 1, low: 10 * segment, high: 10 * segment }],
      async (generator, report) => {
        const more = await generator.nextRound();
        await generator.finish();
        const [client, server] = [only(report, 'client'), only(report, 'server')];
        const packets = only(more, 'client').sent / segment;
        const sent = { octets: packets * (segment + 28), packets };
        const expected = { sent, received: { octets: 0, packets: 0 }, part: false, final: true };
        const far = { address: '127.0.0.1', port: server.localPort };
        await eventually(() => assert.deepEqual(countsOf(client.localPort, far), expected));
      },
    );
  });

  /** What the socket with this port exchanged with a peer, by the last row of it. */
  function countsOf(localPort: number, peer: { readonly address: string; readonly port: number }): object {
    const cookies = cookiesOf(tap, localPort);
    const rows = tap.rows('peer', { peerPort: peer.port });
    const row = last(rows.filter(({ cookie, peerAddress }) => cookies.has(cookie) && peerAddress === peer.address));
    return {
      sent: { octets: row.sentOctets, packets: row.sentPackets },
      received: { octets: row.receivedOctets, packets: row.receivedPackets },
      part: (row.flags & PEER_FLAG.part) !== 0,
      final: (row.flags & PEER_FLAG.final) !== 0,
    };
  }
});

describe('the packets tier, switched off and on while sockets are open', { skip }, () => {
  let tap: Tap;

  before(async () => {
    tap = await Tap.start('capture.pollIntervalMs=100');
  });
  after(() => tap.stop());

  const tierRows = (): (readonly [boolean, string | null])[] =>
    tap.tiers.flatMap(({ name, on, reason }) => (name === 'packets' ? [[on === 1, reason] as const] : []));

  test('all tiers are told at the start, and each change with its reason', async (t) => {
    await eventually(() => assert.deepEqual(tierRows(), [[true, null]]));
    const shown = tap.status.tiers.map(({ name, state }) => [name, state === 'ON' ? 1 : 0]);
    assert.deepEqual(
      tap.tiers.map(({ name, on }) => [name, on]),
      shown,
    );

    await withTraffic(t, ['tcp_stream', {}], async (generator, report) => {
      await withTraffic(t, ['udp', { connect: 1 }], async (datagrams, firstDatagrams) => {
        tap.setTier('packets', false, 'too much');
        await eventually(() => assert.deepEqual(tierRows().at(-1), [false, 'too much']));
        assert.deepEqual(
          tap.status.tiers.find(({ name }) => name === 'packets'),
          { name: 'packets', state: 'SHED', reason: 'too much' },
        );
        await generator.nextRound();
        await datagrams.nextRound();
        const runs = tap.status.programRuns['packet_sent'];
        tap.setTier('packets', true, '');
        await eventually(() => assert.deepEqual(tierRows().at(-1), [true, null]));
        assert.equal(tap.status.tiers.find(({ name }) => name === 'packets')?.state, 'ON');
        await generator.nextRound();
        const moved = await datagrams.nextRound();
        await generator.finish();
        await datagrams.finish();
        await eventually(() => assert.ok((tap.status.programRuns['packet_sent'] ?? 0) > (runs ?? 0)));

        const socket = await eventually(() => endOf(tap, only(report, 'client')));
        assert.ok(socket.flags & SOCKET_FLAG.tcpFlags);
        assert.ok(socket.flags & SOCKET_FLAG.tcpFlagsPart, 'the flags of a time without are missing');

        const peer = only(firstDatagrams, 'server').localPort;
        const row = await eventually(() =>
          last(tap.rows('peer', { peerPort: peer }).filter(({ flags }) => (flags & PEER_FLAG.final) !== 0)),
        );
        assert.ok(row.flags & PEER_FLAG.part);
        const { sent } = only(moved, 'client');
        assert.ok(row.sentBytes > 0 && row.sentBytes < sent, `${row.sentBytes} of ${sent}`);
      });
    });
  });

  test('a connection of the time after is complete again', async (t) => {
    await withTraffic(t, ['tcp_end', { how: 'half-close' }], async (generator, report) => {
      await generator.finish();
      const socket = await eventually(() => endOf(tap, only(report, 'client')));
      assert.equal(socket.flags & (SOCKET_FLAG.tcpFlags | SOCKET_FLAG.tcpFlagsPart), SOCKET_FLAG.tcpFlags);
    });
  });

  test('what was open before capture has flags in part', async (t) => {
    await withTraffic(t, ['tcp_stream', {}], async (generator, report) => {
      const late = await Tap.start('capture.pollIntervalMs=100');
      try {
        await generator.nextRound();
        await generator.finish();
        const socket = await eventually(() => endOf(late, only(report, 'client')));
        const flags = SOCKET_FLAG.tcpFlags | SOCKET_FLAG.tcpFlagsPart;
        assert.equal(socket.flags & flags, flags);
      } finally {
        await late.stop();
      }
    });
  });
});

describe('the selection of the packets tier', { skip }, () => {
  test('by port: other sockets are left alone, peers of a UDP socket one by one', async (t) => {
    await withTraffic(t, ['udp', { peers: 5 }], async (generator, report) => {
      const [chosen, ...others] = report.sockets.filter(({ side }) => side === 'server').map((each) => each.localPort);
      assert.ok(chosen !== undefined && others.length === 4);
      const tap = await Tap.start(`capture.packets.ports=${chosen}`, 'capture.pollIntervalMs=100');
      try {
        await generator.nextRound();
        const tcp = ['tcp_end', { how: 'half-close' }] as const;
        await withTraffic(t, tcp, async (connection, ended) => {
          await connection.finish();
          const socket = await eventually(() => endOf(tap, only(ended, 'client')));
          assert.equal(socket.flags & SOCKET_FLAG.tcpFlags, 0);
        });
        await generator.finish();
        const client = only(report, 'client').localPort;
        await eventually(() => assert.ok(peersOf(tap, client).has(chosen)));
        assert.deepEqual([...peersOf(tap, client)], [chosen]);
      } finally {
        await tap.stop();
      }
    });
  });

  test('by the first packets: none are looked into, flags and octets are there all the same', async (t) => {
    const tap = await Tap.start('capture.packets.firstPackets=0', 'capture.pollIntervalMs=100');
    try {
      await withTraffic(t, ['udp', {}], async (generator, report) => {
        await generator.finish();
        const client = only(report, 'client');
        await eventually(() => assert.equal(peersOf(tap, client.localPort).size, 1));
        assert.deepEqual(tap.rows('application'), []);
      });
    } finally {
      await tap.stop();
    }
  });

  test('switched off by the configuration: no programs, no rows, and the reason', async (t) => {
    const tap = await Tap.start('capture.packets.enabled=false');
    try {
      await withTraffic(t, ['tcp_end', { how: 'half-close' }], async (generator, report) => {
        await generator.finish();
        const socket = await eventually(() => endOf(tap, only(report, 'client')));
        assert.equal(socket.flags & SOCKET_FLAG.tcpFlags, 0);
        const reason = 'switched off by capture.packets.enabled';
        assert.deepEqual(
          tap.status.tiers.find(({ name }) => name === 'packets'),
          { name: 'packets', state: 'OFF', reason },
        );
        assert.equal(tap.status.programRuns['packet_sent'], 0);
      });
    } finally {
      await tap.stop();
    }
  });

  function peersOf(tap: Tap, localPort: number): Set<number> {
    const rows = [...cookiesOf(tap, localPort)].flatMap((cookie) => tap.rows('peer', { cookie }));
    return new Set(rows.map(({ peerPort }) => peerPort));
  }
});

function only(report: Report, side: SocketReport['side']): SocketReport {
  const socket = report.sockets.find((each) => each.side === side);
  assert.ok(socket);
  return socket;
}

function last<T>(rows: readonly T[]): T {
  const row = rows.at(-1);
  assert.ok(row, 'the row has come');
  return row;
}

/** The last row of a TCP socket. */
function endOf(tap: Tap, { localPort, remotePort }: SocketReport): Row<'socket'> {
  return last(tap.rows('socket', { localPort, remotePort, kind: SOCKET_KIND.ended }));
}

/** The UDP sockets that had this port. */
function cookiesOf(tap: Tap, localPort: number): Set<number> {
  return new Set(tap.rows('socket', { localPort, protocol: 17 }).map(({ cookie }) => cookie));
}
