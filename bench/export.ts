/**
 * What exporting costs: records of 34 elements (addresses, counters, times and both processes) over UDP to a collector on
 * this host, in messages for an MTU of 1500; beside softflowd and pmacctd, which are fed as many flows.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { loadConfig } from '../src/config/index.js';
import type { Fact } from '../src/correlate/index.js';
import { Exporters } from '../src/export/index.js';
import { ipfix } from '../src/export/ipfix.js';
import { DEFAULT_TEMPLATE } from '../src/export/macros.js';
import { NUMBER } from '../src/export/record.js';
import { Session } from '../src/export/session.js';
import { fieldsOf, parseSpecification } from '../src/export/specification.js';
import type { Transport } from '../src/export/transport/transport.js';
import { UdpTransport } from '../src/export/transport/udp.js';
import { createLog } from '../src/log.js';
import { FakeState } from '../test/api/fake-state.js';
import { MemoryTransport } from '../test/export/memory-transport.js';
import { sampleRecord } from '../test/export/stage.js';
import { pcapOf } from '../test/system/harness/pcap.js';
import { Child } from './lib/children.js';
import { chooseCpus, pinSelf, type Cpus } from './lib/cpus.js';
import { benchOptions } from './lib/options.js';
import { reached, table } from './lib/table.js';
import { temporaryFolder } from './lib/temporary.js';
import { buildWorkload } from './lib/workload.js';

const GOAL_PER_SECOND = 500_000;
const STEADY_PER_SECOND = 100_000;
const READY_MS = 20_000;
/** Between them the event loop turns, as it does between batches of capture. */
const RECORDS_PER_TURN = 2000;

interface Sizes {
  readonly records: number;
  readonly rounds: number;
  readonly steadySeconds: number;
  readonly flows: number;
}

function sessionOver(transport: Transport): Session {
  return new Session({
    ...{ format: ipfix, fields: fieldsOf(parseSpecification(DEFAULT_TEMPLATE), ipfix), transport },
    ...{ domain: 7, bootMs: Date.now() - 3_600_000, templateRefreshMs: 600_000, templateRefreshPackets: 20 },
    ...{ statisticsIntervalMs: 60_000, maxDelayMs: 500, timeouts: { active: 120, idle: 30 }, nowMs: () => Date.now() },
  });
}

/** Nothing is kept of the messages. */
class Nowhere extends MemoryTransport {
  override send(): void {
    // Encoding is all.
  }
}

/** Records per second of CPU time, of the best round: the machine's noise only takes away. */
async function rate(session: Session, { records, rounds }: Sizes): Promise<number> {
  const record = sampleRecord();
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < records;) {
      for (const end = i + RECORDS_PER_TURN; i < end; i++) {
        record.numbers[NUMBER.sourcePort] = 1024 + (i % 60_000);
        session.take(record);
      }
      await turn();
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, records / ((user + system) / 1e6));
  }
  return best;
}

class Sink {
  private constructor(
    private readonly child: Child,
    readonly port: number,
  ) {}

  static async start(cpu: number): Promise<Sink> {
    const program = join(import.meta.dirname, 'lib/datagram-sink.js');
    const child = await Child.start(process.execPath, [program], { cpu });
    await child.until(() => /port \d+/.test(child.said), READY_MS);
    return new Sink(child, Number(/port (\d+)/.exec(child.said)?.[1]));
  }

  async messages(): Promise<number> {
    this.child.write('?\n');
    await this.child.until(() => /got \d+/.test(this.child.said), READY_MS);
    return Number(/got (\d+)/.exec(this.child.said)?.[1]);
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

async function udpSession(port: number): Promise<{ session: Session; transport: UdpTransport }> {
  const transport = new UdpTransport({ host: '127.0.0.1', port, mtu: 1500, retryMs: 1000 });
  const session = sessionOver(transport);
  await new Promise<void>((resolve, reject) => {
    transport.start({
      up: () => {
        session.up();
        resolve();
      },
      down: reject,
      failed: reject,
      lost: (contents) => session.lost(contents),
    });
  });
  return { session, transport };
}

/** As fast as records come from a busy host, evenly; a record lost anywhere fails. */
async function steady(cpus: Cpus, { steadySeconds }: Sizes): Promise<{ sent: number; lost: number; cpu: number }> {
  const sink = await Sink.start(cpus.others);
  const { session } = await udpSession(sink.port);
  const record = sampleRecord();
  const start = performance.now();
  const before = process.cpuUsage();
  let sent = 0;
  while (performance.now() - start < steadySeconds * 1000) {
    for (const due = ((performance.now() - start) / 1000) * STEADY_PER_SECOND; sent < due; sent++) session.take(record);
    await sleep(1);
  }
  const { user, system } = process.cpuUsage(before);
  await session.close();
  await sleep(500);
  const lost = session.ledger.totals.messages - (await sink.messages());
  await sink.stop();
  return { sent, lost: lost + session.ledger.notSent.flows, cpu: (user + system) / 1e6 / steadySeconds };
}

/** The whole way of a flow that ends: metering, filling, encoding, sending. Two records each. */
async function fromFlows(port: number, { flows }: Sizes): Promise<number> {
  const machine = { root: false, home: '/nonexistent', runtimeDirectory: undefined, terminal: false };
  const flags = [{ key: 'export.to', text: `ipfix://127.0.0.1:${port}`, origin: 'bench' }];
  const config = loadConfig({ file: undefined, env: {}, flags, machine });
  const state = new FakeState();
  const [client, server] = [state.addProcess({ name: 'curl' }), state.addProcess({ name: 'nginx', uid: 33 })];
  const all = Array.from({ length: flows }, () => {
    const flow = state.addFlow({ client, server });
    for (const end of [flow.client, flow.server]) Object.assign(end, { octets: 500, packets: 5 });
    return flow;
  });
  const log = createLog({ level: 'silent', format: 'json' });
  const exporters = new Exporters({ config, state, host: { id: 'h_bench', name: 'bench' }, log });
  exporters.start();
  while (exporters.statuses()[0]?.state !== 'UP') await sleep(5);
  const tell = (fact: Fact): void => state.emit(fact);
  const before = process.cpuUsage();
  for (const [i, flow] of all.entries()) {
    tell({ kind: 'flow', event: 'STARTED', flow });
    state.end(flow);
    if (i % 1000 === 0) await turn();
  }
  const { user, system } = process.cpuUsage(before);
  await exporters.close();
  return exporters.statuses()[0]?.sentRecords === 2 * flows ? (2 * flows) / ((user + system) / 1e6) : NaN;
}

/** One packet of each flow, as a capture; what is not told of (processes) they do not have. */
function captureOf(flows: number): Buffer {
  const payload = Buffer.alloc(64);
  return pcapOf(
    Array.from({ length: flows }, (_, i) => ({
      port: 1 + (i % 65_000),
      source: 1 + Math.floor(i / 65_000),
      bytes: payload,
    })),
  );
}

/** Records per second of CPU time of a program that reads a capture and exports its flows; softflowd wants short paths. */
function peer(command: string, cwd: string, flows: number): number {
  const script = `TIMEFORMAT='cpu %U %S'; time ${command} >/dev/null`;
  const { stderr, status } = spawnSync('bash', ['-c', script], { cwd, encoding: 'utf8', timeout: 120_000 });
  const [, user = 'x', system = 'x'] = /cpu ([\d.]+) ([\d.]+)/.exec(stderr) ?? [];
  if (status !== 0) console.log(`${command.split(' ', 1).join('')} failed: ${stderr.slice(-500)}`);
  return status === 0 ? flows / (Number(user) + Number(system)) : NaN;
}

export async function run(): Promise<void> {
  const { quick } = benchOptions();
  const sizes: Sizes = quick
    ? { records: 100_000, rounds: 2, steadySeconds: 1, flows: 20_000 }
    : { records: 1_000_000, rounds: 5, steadySeconds: 10, flows: 120_000 };
  buildWorkload();
  const cpus = chooseCpus();
  const sink = await Sink.start(cpus.others);
  const unpin = pinSelf(cpus.workload);
  const folder = temporaryFolder();
  const nowhere = sessionOver(new Nowhere());
  nowhere.up();
  const encoded = await rate(nowhere, sizes);
  const { session } = await udpSession(sink.port);
  const sent = await rate(session, sizes);
  await session.close();
  const whole = await fromFlows(sink.port, sizes);
  const capture = join(folder.path, 'flows.pcap');
  writeFileSync(capture, captureOf(sizes.flows));
  const target = `127.0.0.1:${sink.port}`;
  const softflowd = peer(
    `softflowd -d -v 10 -m ${2 * sizes.flows} -r flows.pcap -n ${target} -p ./pid -c ./control`,
    folder.path,
    sizes.flows,
  );
  const config = join(folder.path, 'pmacctd.conf');
  writeFileSync(
    config,
    [
      ...[`pcap_savefile: ${capture}`, 'daemonize: false', 'plugins: nfprobe', `nfprobe_receiver: ${target}`],
      ...[
        'nfprobe_version: 10',
        'aggregate: src_host,dst_host,src_port,dst_port,proto',
        `nfprobe_maxflows: ${2 * sizes.flows}`,
      ],
      '',
    ].join('\n'),
  );
  const pmacctd = peer(`pmacctd -f ${config}`, folder.path, sizes.flows);
  await sink.stop();
  console.log(
    table([
      ['export', 'records per CPU second', 'of the goal'],
      ...Object.entries({
        'encode only': encoded,
        'encode and send over UDP': sent,
        'from ended flows: meter, fill, encode, send': whole,
        'softflowd, from a capture': softflowd,
        'pmacctd, from a capture': pmacctd,
      }).map(([what, perSecond]) => [
        what,
        Number.isNaN(perSecond) ? 'failed' : String(Math.round(perSecond)),
        Number.isNaN(perSecond) ? '' : (perSecond / GOAL_PER_SECOND).toFixed(2),
      ]),
    ]),
  );
  console.log(`export: encode and send: ${reached(sent >= GOAL_PER_SECOND)}`);
  const { sent: paced, lost, cpu } = await steady(cpus, sizes);
  console.log(
    `export: ${STEADY_PER_SECOND} records/s for ${sizes.steadySeconds} s: ${paced} sent, ${lost} lost, ${(cpu * 100).toFixed(0)} % of a CPU: ${reached(lost === 0)}`,
  );
  unpin();
  await folder.remove();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run();
