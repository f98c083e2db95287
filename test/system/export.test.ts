/** Flows of real processes, exported to real collectors: all of them must say the same, and what the API says. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { elementNamed } from '../../src/export/elements.js';
import { Decoder, type DecodedRecord } from '../export/decoder.js';
import { temporaryDirectory } from '../temporary.js';
import {
  Agent,
  Child,
  eventually,
  pcapOf,
  run,
  skipWithoutBpf,
  type Datagram,
  type FlowView,
} from './harness/index.js';

const skip = await skipWithoutBpf('exports of real flows');
const directory = temporaryDirectory();
const REQUESTS = 5;

/** As tshark calls the twenty elements of a process, by their name in nProbe. */
const TSHARK_NAMES: Readonly<Record<string, string>> = { SRC_PROC_PID: 'src_proc_id' };
const PROCESS = ['SRC', 'DST'].flatMap((side) => [
  ...['PROC_PID', 'PROC_NAME', 'PROC_USER_NAME'].map((name) => `${side}_${name}`),
  ...['PID', 'NAME'].map((name) => `${side}_FATHER_PROC_${name}`),
  ...['ACTUAL_MEMORY', 'PEAK_MEMORY', 'AVERAGE_CPU_LOAD', 'NUM_PAGE_FAULTS', 'PCTG_IOWAIT'].map(
    (name) => `${side}_PROC_${name}`,
  ),
]);

/** How a collector names ntop's elements, by the scheme of the destination. */
const FORMATS = [
  { scheme: 'ipfix', fieldType: (id: number) => `35632:${id}` },
  { scheme: 'netflow9', fieldType: (id: number) => String(57_472 + id) },
] as const;
type Scheme = (typeof FORMATS)[number]['scheme'];

/** Takes every datagram as it is. */
class Recorder {
  readonly datagrams: Datagram[] = [];
  private readonly socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });

  async start(): Promise<number> {
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    const { port } = this.socket.address();
    this.socket.on('message', (bytes) => this.datagrams.push({ port, bytes }));
    return port;
  }

  stop(): void {
    this.socket.close();
  }

  /** Flow records of flows with a port. */
  records(port: number): DecodedRecord[] {
    const decoder = new Decoder();
    const messages = this.datagrams.map(({ bytes }) => decoder.decode(bytes));
    assert.equal(decoder.gaps, 0);
    return messages
      .flatMap(({ records }) => records)
      .filter(({ template, values }) => !template.isOptions && portsOf(values).includes(port));
  }
}

function portsOf(values: Readonly<Record<string, number | string>>): (number | string | undefined)[] {
  return [values['sourceTransportPort'], values['destinationTransportPort']];
}

/** One line for each record, in no order that matters: ports, octets, packets. */
function lines(rows: readonly (readonly (number | string | undefined)[])[]): string[] {
  return rows.map((row) => row.join(' ')).sort();
}

describe('exports', { skip }, () => {
  const ipfix = new Recorder();
  const netflow9 = new Recorder();
  const file = join(directory, 'flows.ipfix');
  const nfdumpDirectory = (scheme: Scheme): string => join(directory, `nfdump-${scheme}`);
  const nfacctdOutput = (scheme: Scheme): string => join(directory, `nfacctd-${scheme}.json`);
  let flows: FlowView[] = [];
  let serverPort = 0;
  let serverPid = 0;
  const ports = { ipfix: 0, netflow9: 0 };

  before(async () => {
    ports.ipfix = await ipfix.start();
    ports.netflow9 = await netflow9.start();
    const to = [`ipfix://127.0.0.1:${ports.ipfix}`, `netflow9://127.0.0.1:${ports.netflow9}`, `ipfix+file:${file}`];
    const collectors: Child[] = [];
    for (const { scheme, fieldType } of FORMATS) {
      const nfcapdPort = await freePort();
      const nfacctdPort = await freePort();
      collectors.push(await startNfcapd(scheme, nfcapdPort), await startNfacctd(scheme, nfacctdPort, fieldType));
      to.push(`${scheme}://127.0.0.1:${nfcapdPort}`, `${scheme}://127.0.0.1:${nfacctdPort}`);
    }
    const agent = await Agent.start({ flags: to.flatMap((url) => ['--export', url]) });
    serverPort = await freePort();
    const program = new URL('./harness/http-server.js', import.meta.url).pathname;
    const server = new Child(process.execPath, [program, String(serverPort)]);
    serverPid = server.pid;
    await server.lines().next();
    for (let i = 0; i < REQUESTS; i++)
      await run('curl', '-s', '-o', '/dev/null', `http://127.0.0.1:${serverPort}/bytes/3000`);
    flows = await eventually(async () => {
      const ended = await agent.flows({ port: { eq: serverPort }, state: ['ENDED'] });
      assert.equal(ended.length, REQUESTS);
      return ended;
    });
    assert.equal((await agent.stop()).code, 0);
    await eventually(() => {
      for (const recorder of [ipfix, netflow9]) assert.equal(recorder.records(serverPort).length, 2 * REQUESTS);
    });
    // Both write what they have when they are told to stop.
    for (const collector of collectors) collector.process.kill('SIGINT');
    await Promise.all(collectors.map(({ ended }) => ended));
    server.process.kill();
  });
  after(() => {
    ipfix.stop();
    netflow9.stop();
  });

  function truth(): string[] {
    return lines(
      flows.flatMap(({ client, server }) => [
        [client.port ?? 0, server.port ?? 0, client.sent.octets ?? 0, client.sent.packets ?? 0],
        [server.port ?? 0, client.port ?? 0, server.sent.octets ?? 0, server.sent.packets ?? 0],
      ]),
    );
  }

  test('our own decoder reads what the API says, from both formats', () => {
    for (const recorder of [ipfix, netflow9]) {
      const rows = recorder
        .records(serverPort)
        .map(({ values }) => [...portsOf(values), values['octetDeltaCount'], values['packetDeltaCount']]);
      assert.deepEqual(lines(rows), truth());
    }
  });

  test('a record knows both processes, with user, father and what they spent', () => {
    for (const { values } of [...ipfix.records(serverPort), ...netflow9.records(serverPort)]) {
      const isForward = values['destinationTransportPort'] === serverPort;
      const [curl, node] = isForward ? ['SRC', 'DST'] : ['DST', 'SRC'];
      assert.equal(values[`${curl}_PROC_NAME`], 'curl');
      assert.equal(values[`${curl}_FATHER_PROC_PID`], process.pid);
      assert.equal(values[`${node}_PROC_PID`], serverPid);
      assert.equal(values[`${node}_FATHER_PROC_PID`], process.pid);
      assert.ok(Number(values[`${node}_PROC_ACTUAL_MEMORY`]) > 10_000_000);
      assert.ok(Number(values[`${node}_PROC_PEAK_MEMORY`]) >= 10_000_000);
      assert.ok(`${node}_PROC_AVERAGE_CPU_LOAD` in values && `${node}_PROC_NUM_PAGE_FAULTS` in values);
    }
  });

  test('tshark names all twenty elements, with the same values, and finds no gap', async () => {
    for (const [recorder, port] of [
      [ipfix, ports.ipfix],
      [netflow9, ports.netflow9],
    ] as const) {
      const capture = join(directory, `${port}.pcap`);
      writeFileSync(capture, pcapOf(recorder.datagrams));
      const tshark = async (...args: string[]): Promise<string> =>
        await run('tshark', '-r', capture, '-d', `udp.port==${port},cflow`, ...args);
      assert.equal(await tshark('-Y', 'cflow.unexpected_sequence_number || _ws.malformed'), '');
      const filters = PROCESS.map((name) => `cflow.pie.ntop.${TSHARK_NAMES[name] ?? name.toLowerCase()}`);
      const fields = filters.flatMap((filter) => ['-e', filter]);
      const output = await tshark('-T', 'fields', '-E', 'separator=|', ...fields);
      // A line for each message; in it the values of each element, of all of its records.
      const read = PROCESS.map((_, column) =>
        output
          .split('\n')
          .flatMap((line) => (line.split('|')[column] ?? '').split(',').filter((value) => value !== '')),
      );
      const decoder = new Decoder();
      const all = recorder.datagrams.flatMap(({ bytes }) => decoder.decode(bytes).records);
      for (const [column, name] of PROCESS.entries()) {
        const sent = all.flatMap(({ values }) => (name in values ? [String(values[name])] : []));
        assert.deepEqual(read[column], sent, name);
        assert.ok(sent.length > 0, name);
      }
    }
  });

  for (const { scheme } of FORMATS) {
    test(`nfcapd counts the same, and no sequence error: ${scheme}`, async () => {
      const rows: (number | string | undefined)[][] = [];
      for (const name of readdirSync(nfdumpDirectory(scheme)).filter((one) => one.startsWith('nfcapd.'))) {
        const path = join(nfdumpDirectory(scheme), name);
        const text = await run('nfdump', '-q', '-N', '-r', path, '-o', 'fmt:%sp %dp %byt %pkt', `port ${serverPort}`);
        rows.push(...text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim().split(/\s+/)])));
        assert.match(await run('nfdump', '-I', '-r', path), /Sequence failures: 0/);
      }
      assert.deepEqual(lines(rows), truth());
    });

    test(`nfacctd counts the same, and knows the processes: ${scheme}`, () => {
      const rows = readFileSync(nfacctdOutput(scheme), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, number | string>)
        .filter((row) => [row['port_src'], row['port_dst']].includes(serverPort));
      assert.deepEqual(
        lines(rows.map((row) => [row['port_src'], row['port_dst'], row['bytes'], row['packets']])),
        truth(),
      );
      const records = (scheme === 'ipfix' ? ipfix : netflow9).records(serverPort);
      assert.deepEqual(
        lines(rows.map((row) => PROCESS.map((name) => row[name.toLowerCase()]))),
        lines(records.map(({ values }) => PROCESS.map((name) => values[name]))),
      );
    });
  }

  test('ipfixDump reads the file with the types that it is told', async () => {
    assert.ok(existsSync(file));
    const text = await run('ipfixDump', '--rfc5610', '-d', '--in', file, '--out', '-');
    const names = [...text.matchAll(/SRC_PROC_NAME : \(len: \d+\) (\S+)/g)].map((match) => match[1]);
    assert.equal(names.filter((name) => name === 'curl').length, REQUESTS);
    assert.match(text, new RegExp(`DST_PROC_PID : ${serverPid}\\n`));
  });

  async function startNfcapd(scheme: Scheme, port: number): Promise<Child> {
    mkdirSync(nfdumpDirectory(scheme));
    const nfcapd = new Child('nfcapd', ['-w', nfdumpDirectory(scheme), '-p', String(port), '-b', '127.0.0.1']);
    await nfcapd.stderrMatches(/Startup/);
    return nfcapd;
  }

  async function startNfacctd(scheme: Scheme, port: number, fieldType: (id: number) => string): Promise<Child> {
    const primitives = join(directory, `primitives-${scheme}`);
    const rows = PROCESS.map((name) => {
      const element = elementNamed(name);
      assert.ok(element !== undefined);
      const layout = element.dataType === 'string' ? 'len=vlen semantics=str' : 'len=4 semantics=u_int';
      return `name=${name.toLowerCase()} field_type=${fieldType(element.id)} ${layout}`;
    });
    writeFileSync(primitives, `${rows.join('\n')}\n`);
    const config = join(directory, `nfacctd-${scheme}.conf`);
    const keys = ['src_host', 'dst_host', 'src_port', 'dst_port', 'proto'].concat(
      PROCESS.map((name) => name.toLowerCase()),
    );
    writeFileSync(
      config,
      [
        ...['daemonize: false', 'nfacctd_ip: 127.0.0.1', `nfacctd_port: ${port}`, 'plugins: print[all]'],
        ...[`aggregate_primitives: ${primitives}`, `aggregate[all]: ${keys.join(', ')}`],
        ...[
          'print_output[all]: json',
          `print_output_file[all]: ${nfacctdOutput(scheme)}`,
          'print_output_file_append[all]: true',
        ],
        'print_refresh_time[all]: 1',
        '',
      ].join('\n'),
    );
    const nfacctd = new Child('nfacctd', ['-f', config]);
    nfacctd.process.stdout?.resume();
    await nfacctd.stderrMatches(/waiting for NetFlow\/IPFIX data/);
    return nfacctd;
  }
});

/** A UDP port of 127.0.0.1 that nobody has now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
