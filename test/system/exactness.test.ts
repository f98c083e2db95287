/** What the agent shows of bytes, octets and packets, against what the generators' own system calls returned. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { temporaryDirectory } from '../temporary.js';
import {
  across,
  Agent,
  assertShown,
  eventually,
  makeNamespacePair,
  PacketCapture,
  sharesOf,
  skipWithoutBpf,
  sum,
  withTraffic,
  type FlowView,
  type NamespacePair,
  type Options,
  type Report,
  type WireCount,
} from './harness/index.js';

const skip = await skipWithoutBpf('exact bytes, octets and packets of TCP, UDP, ICMP, raw and packet sockets');
const directory = temporaryDirectory();

describe('exactness', { skip }, () => {
  let agent: Agent;
  let pair: NamespacePair;

  before(async () => {
    agent = await Agent.start({ flags: ['--capture-poll-interval-ms', '250'] });
    pair = await makeNamespacePair();
  });
  after(async () => {
    await agent.stop();
    await pair.remove();
  });

  const streams: Options[] = [
    { family: 'v4' },
    { family: 'v6' },
    { family: 'mapped' },
    { send: 'nonblocking' },
    { send: 'zerocopy' },
    { send: 'sendfile' },
    { send: 'splice' },
    { send: 'sendmsg', receive: 'recvmsg' },
    { send: 'uring', receive: 'uring' },
    { send: 'uring-zerocopy', receive: 'uring' },
    { receive: 'peek' },
    { receive: 'trunc' },
    { receive: 'waitall' },
    { receive: 'splice' },
    { send: 'sendfile', receive: 'splice', family: 'v6' },
  ];
  for (const options of streams) {
    test(`TCP ${describeOptions(options)}, while open and after the end`, async (t) => {
      await withTraffic(t, ['tcp_stream', options], async (generator, report) => {
        await assertShown(agent, generator, report, { state: 'OPEN' });
        const more = await generator.nextRound();
        await assertShown(agent, generator, more, { state: 'OPEN' });
        await generator.finish();
        await assertShown(agent, generator, more, { state: 'ENDED', endReason: 'END_OF_FLOW' });
      });
    });
  }

  const ends: [how: string, reason: string][] = [
    ['half-close', 'END_OF_FLOW'],
    ['reset-after-read', 'RESET'],
    ['reset-before-read', 'RESET'],
    ['reset-unread', 'RESET'],
    ['reset-by-server', 'RESET'],
    ['refused', 'REFUSED'],
  ];
  for (const [how, endReason] of ends) {
    for (const family of ['v4', 'v6']) {
      test(`TCP ${how} over ${family} ends as ${endReason}`, async (t) => {
        await withTraffic(t, ['tcp_end', { how, family }], async (generator, report) => {
          await assertShown(agent, generator, report, { state: 'ENDED', endReason });
          await generator.finish();
        });
      });
    }
  }

  // The kernel gives up on a neighbour after three seconds; that many tries last longer.
  for (const [address, what, endReason, error, tries] of [
    ['198.18.0.99', 'a neighbour that is not there', 'UNREACHABLE', 'EHOSTUNREACH', 5],
    ['198.18.0.98', 'a neighbour that does not answer', 'TIMED_OUT', 'ETIMEDOUT', 2],
  ] as const) {
    test(`a connect to ${what} ends as ${endReason}`, async (t) => {
      if (endReason === 'TIMED_OUT') await pair.addSilentNeighbour(address);
      const options = { ...across(pair), 'server-address': address, how: 'no-answer', tries };
      await withTraffic(t, ['tcp_end', options], async (generator, report) => {
        const [flow] = await assertShown(agent, generator, report, { state: 'ENDED', endReason });
        assert.equal(report.sockets[0]?.error, error);
        assert.equal(flow?.client.process?.pid, report.sockets[0].pid);
        await generator.finish();
      });
    });
  }

  test('data that goes out before the connection is there belongs to its flow', async (t) => {
    const address = '198.18.0.97';
    await pair.addSilentNeighbour(address);
    const options = { ...across(pair), 'server-address': address, how: 'no-answer', tries: 2, 'fast-open': 1 };
    await withTraffic(t, ['tcp_end', options], async (generator, report) => {
      assert.equal(report.sockets[0]?.sent, 100);
      await assertShown(agent, generator, report, { state: 'ENDED', endReason: 'TIMED_OUT' });
      await generator.finish();
    });
  });

  const datagrams: Options[] = [
    { connect: 1 },
    {},
    { peers: 50 },
    { peers: 50, receive: 'recvmsg' },
    { peers: 50, family: 'v6' },
    { wildcard: 1 },
    { wildcard: 1, peers: 50 },
    { wildcard: 1, family: 'v6' },
    { wildcard: 1, family: 'mapped' },
    { family: 'v6', connect: 1 },
    { family: 'mapped', connect: 1 },
    { receive: 'recv' },
    { receive: 'read' },
    { receive: 'recv', peers: 50, wildcard: 1 },
    { receive: 'recv', wildcard: 1, family: 'v6' },
    { receive: 'trunc' },
    { receive: 'small', low: 100 },
    { receive: 'peek' },
    { batch: 16 },
    { batch: 16, connect: 1 },
    { batch: 16, peers: 50 },
    { batch: 16, receive: 'recv' },
    { batch: 16, family: 'v6' },
    { low: 2000, high: 60000, datagrams: 50 },
    { low: 0, high: 3 },
  ];
  for (const options of datagrams) {
    test(`UDP ${describeOptions(options)}`, async (t) => {
      await withTraffic(t, ['udp', options], async (generator, report) => {
        await assertShown(agent, generator, report, { state: 'OPEN' });
        const more = await generator.nextRound();
        await generator.finish();
        await assertShown(agent, generator, more);
      });
    });
  }

  for (const family of ['v4', 'v6'] as const) {
    for (const kind of ['raw', 'datagram']) {
      test(`ICMP echo over ${family}, ${kind} socket`, async (t) => {
        await withTraffic(t, ['icmp', { ...across(pair, family), kind }], async (generator, report) => {
          await assertMoved(generator.startedAt, report);
          await generator.finish();
        });
      });
    }

    test(`raw IP protocol 253 over ${family}`, async (t) => {
      await withTraffic(t, ['raw_ip', { ...across(pair, family), protocol: 253 }], async (generator, report) => {
        await assertMoved(generator.startedAt, report);
        await generator.finish();
      });
    });
  }

  test('raw ICMP over loopback, which brings the requests back as well', async (t) => {
    await withTraffic(t, ['icmp', { kind: 'raw' }], async (generator, report) => {
      await assertMoved(generator.startedAt, report);
      await generator.finish();
    });
  });

  test('packet sockets over veth', async (t) => {
    const options = { ...across(pair), 'client-interface': 'veth0', 'server-interface': 'veth0' };
    await withTraffic(t, ['packet', options], async (generator, report) => {
      await assertMoved(generator.startedAt, report);
      await generator.finish();
    });
  });

  test('a packet socket that is silent for a while goes on with the same flow', async (t) => {
    await withTraffic(t, ['packet'], async (generator, report) => {
      await assertMoved(generator.startedAt, report);
      // What of a connection is told after its first bytes comes with polls.
      await withTraffic(t, ['tcp_stream'], async (other, first) => {
        await assertShown(agent, other, first, { state: 'OPEN' });
        for (let rounds = 0; rounds < 3; rounds++) await assertShown(agent, other, await other.nextRound());
        await other.finish();
      });
      const more = await generator.nextRound();
      await assertMoved(generator.startedAt, more);
      const pids = [...new Set(more.sockets.map(({ pid }) => pid))];
      const flows = await Promise.all(pids.map((pid) => agent.flows({ protocol: ['PACKET'], pid: { eq: pid } })));
      assert.deepEqual(
        flows.map((own) => own.map(({ state }) => state)),
        pids.map(() => ['OPEN']),
      );
      await generator.finish();
    });
  });

  test('packet sockets over loopback', async (t) => {
    await withTraffic(t, ['packet'], async (generator, report) => {
      await assertMoved(generator.startedAt, report);
      await generator.finish();
    });
  });

  const wires: [program: string, protocol: number, options: Options][] = [
    ['udp', 17, { connect: 1 }],
    ['udp', 17, {}],
    ['udp', 17, { wildcard: 1, receive: 'recv' }],
    ['udp', 17, { batch: 16 }],
    ['udp', 17, { low: 1400, high: 1500 }],
    ['udp', 17, { low: 2000, high: 60000, datagrams: 50 }],
    ['udp', 17, { receive: 'small', low: 500 }],
  ];
  for (const family of ['v4', 'v6'] as const) {
    for (const [program, protocol, options] of wires) {
      test(`octets and packets of UDP ${describeOptions(options)} over ${family} are those of the wire`, async (t) => {
        await onWire(t, [program, { ...across(pair, family), ...options }], family, protocol, (flow, wire) => {
          assert.deepEqual([octetsOf(flow.client), octetsOf(flow.server)], [wire.client, wire.server]);
          if (Number(options['high'] ?? 0) <= 1400) assert.equal(flow.client.sent.octetsDerived, false);
        });
      });
    }

    test(`octets of TCP over ${family} are within half a percent of the wire, and marked as derived`, async (t) => {
      const options = { ...across(pair, family), up: 6_000_000, down: 4_000_000 };
      await onWire(t, ['tcp_stream', options], family, 6, (flow, wire) => {
        for (const side of ['client', 'server'] as const) {
          const { octets, packets } = octetsOf(flow[side]);
          assertClose(octets, wire[side].octets, `octets of the ${side}`);
          assertClose(packets, wire[side].packets, `packets of the ${side}`);
          assert.equal(flow[side].sent.octetsDerived, true);
        }
      });
    });
  }

  test('status counts the runs of every program', async () => {
    const { programRuns } = await agent.host();
    assert.ok(programRuns.some(({ program }) => program === 'tcp_destroy_sock'));
    for (const { program, runs } of programRuns) assert.ok(runs > 0, `${program} ran`);
  });

  type Counts = Record<'client' | 'server', WireCount>;

  /** Runs a generator of one flow over the veth under a packet capture, and compares once the flow has ended. */
  async function onWire(
    t: Parameters<typeof withTraffic>[0],
    traffic: readonly [string, Options],
    family: 'v4' | 'v6',
    protocol: number,
    compare: (flow: FlowView, wire: Counts) => void,
  ): Promise<void> {
    const capture = await PacketCapture.start(pair, join(directory, 'wire.pcap'));
    try {
      await withTraffic(t, traffic, async (generator, report) => {
        await generator.finish();
        await assertShown(agent, generator, report);
        const packets = await capture.stop();
        const wire = {
          client: sum(packets, pair.client[family], protocol),
          server: sum(packets, pair.server[family], protocol),
        };
        assert.ok(wire.client.packets > 0);
        await eventually(async () => {
          const [flow] = await assertShown(agent, generator, report);
          assert.ok(flow);
          compare(flow, wire);
        });
      });
    } finally {
      await capture.end();
    }
  }

  /**
   * What each process moved is shown as its own, over all flows of that protocol and process: for sockets where one
   * conversation has no ports to tell it by, and the kernel itself may be the other end.
   */
  async function assertMoved(since: Date, report: Report): Promise<void> {
    for (const { protocol, pid, sent, received } of report.sockets) {
      await eventually(async () => {
        const startTime = { gte: new Date(since.getTime() - 1000).toISOString() };
        const flows = await agent.flows({ protocol: [protocol], pid: { eq: pid }, startTime });
        const shares = flows.flatMap((flow) => [sharesOf(flow.client)[pid], sharesOf(flow.server)[pid]]);
        const total = { sent: 0, received: 0 };
        for (const share of shares) {
          total.sent += share?.sent ?? 0;
          total.received += share?.received ?? 0;
        }
        assert.deepEqual(total, { sent, received }, `${protocol} of process ${pid}: ${JSON.stringify(flows)}`);
      });
    }
  }
});

function octetsOf({ sent }: FlowView['client']): { octets: number | null; packets: number | null } {
  return { octets: sent.octets, packets: sent.packets };
}

function assertClose(actual: number | null, wanted: number, what: string): void {
  assert.ok(
    actual !== null && Math.abs(actual - wanted) <= wanted * 0.005,
    `${what}: ${actual ?? 'null'}, on the wire ${wanted}`,
  );
}

function describeOptions(options: Options): string {
  const words = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  return words.length === 0 ? 'unconnected' : words.join(', ');
}
