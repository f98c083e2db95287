/**
 * What exporting to ntopng costs: records of the default template with both processes, as TLV and as JSON; encoding alone,
 * and over ZMQ to a subscriber in another process on this host.
 */
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { loadConfig, type Config } from '../src/config/index.js';
import { NTOPNG_TEMPLATE } from '../src/export/macros.js';
import { END_NUMBER, NUMBER, TEXT, type FlowRecord } from '../src/export/record.js';
import { parseSpecification } from '../src/export/specification.js';
import { Batch } from '../src/export/zmq/batch.js';
import { dialectOf, payloadOf } from '../src/export/zmq/dialect.js';
import { parseEndpoint } from '../src/export/zmq/endpoint.js';
import { ZmqExporter } from '../src/export/zmq/exporter.js';
import { createLog } from '../src/log.js';
import { sampleRecord } from '../test/export/stage.js';
import { Child } from './lib/children.js';
import { chooseCpus, pinSelf } from './lib/cpus.js';
import { benchOptions } from './lib/options.js';
import { reached, table } from './lib/table.js';
import { buildWorkload } from './lib/workload.js';

const STEADY_PER_SECOND = 100_000;
/** Each of them is a message of its own. */
const STEADY_SINGLE_PER_SECOND = 20_000;
const READY_MS = 20_000;
/** Between them the event loop turns, as it does between batches of capture. */
const RECORDS_PER_TURN = 2000;

interface Sizes {
  readonly records: number;
  readonly rounds: number;
  readonly seconds: number;
}

const WAYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  TLV: {},
  JSON: { 'export.zmq.format': 'json' },
  'JSON with labels': { 'export.zmq.jsonLabels': 'true' },
  'JSON for ntopng 2.0': { 'export.zmq.ntopng': '2.0' },
};

function configOf(settings: Readonly<Record<string, string>>): Config['export'] {
  const flags = Object.entries(settings).map(([key, text]) => ({ key, text, origin: 'bench' }));
  const machine = { root: false, home: '/nonexistent', runtimeDirectory: undefined, terminal: false };
  return loadConfig({ file: undefined, env: {}, flags, machine }).export;
}

const specification = parseSpecification(NTOPNG_TEMPLATE);

/** Both directions and both processes. */
function fullRecord(): FlowRecord {
  return sampleRecord(({ numbers, texts }) => {
    numbers[NUMBER.reverseOctets] = 12_345;
    numbers[NUMBER.reversePackets] = 12;
    numbers[NUMBER.clientTcpFlags] = 0x1b;
    numbers[NUMBER.serverTcpFlags] = 0x1b;
    numbers[NUMBER.sourceId] = 4_000_000_007;
    texts[TEXT.hostName] = 'web-1';
    for (const end of [NUMBER.source, NUMBER.destination]) numbers[end + END_NUMBER.uid] = 1000;
  });
}

/** Records per second of CPU time, of the best round: the machine's noise only takes away. */
async function encoding(zmq: Config['export']['zmq'], { records, rounds }: Sizes): Promise<readonly [number, number]> {
  const dialect = dialectOf(zmq);
  const fields = specification.items.map(({ element }) => ({ element, length: element.length }));
  const { limit, mostRecords } = dialect;
  const batch = new Batch({ payload: payloadOf(dialect, fields), limit, mostRecords });
  const record = fullRecord();
  let best = 0;
  let octets = 0;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < records;) {
      for (const end = i + RECORDS_PER_TURN; i < end; i++) {
        record.numbers[NUMBER.sourcePort] = 1024 + (i % 60_000);
        if (batch.append(record, 0)) continue;
        octets += batch.seal().payload.length;
        batch.append(record, 0);
      }
      await turn();
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, records / ((user + system) / 1e6));
  }
  return [best, octets / (rounds * records)];
}

interface Sent {
  /** Records per second of this process's CPU time, libzmq's thread included. */
  readonly perCpuSecond: number;
  readonly records: number;
  /** Records not sent, and messages that did not arrive. */
  readonly lost: number;
}

/** Evenly, as records come from a busy host. */
async function sending(config: Config['export'], seconds: number, cpu: number): Promise<Sent> {
  const sink = await Child.start(process.execPath, [join(import.meta.dirname, 'lib/zmq-sink.js')], { cpu });
  await sink.until(() => /port \d+/.test(sink.said), READY_MS);
  const endpoint = parseEndpoint(`zmq://127.0.0.1:${/port (\d+)/.exec(sink.said)?.[1] ?? ''}c`);
  const host = { hostName: 'bench', hostId: 'h_bench', sourceId: 7 };
  const exporter = new ZmqExporter(endpoint, specification, config, {
    exporter: { ...host, ipv4: null, ipv6: null, domain: 7, bootMs: 0 },
    probe: {
      ...{ ...host, version: '0', interfaceName: 'lo', speedMbits: null, address: null },
      ...{ activeSeconds: 120, idleSeconds: 30 },
    },
    listeningPorts: () => '{}',
    log: createLog({ level: 'silent', format: 'json' }),
    nowMs: () => Date.now(),
  });
  exporter.start();
  await sink.until(() => exporter.status.state === 'UP', READY_MS);
  const record = fullRecord();
  const pace = config.zmq.ntopng === '2.0' ? STEADY_SINGLE_PER_SECOND : STEADY_PER_SECOND;
  const before = process.cpuUsage();
  const start = performance.now();
  let records = 0;
  while (performance.now() - start < seconds * 1000) {
    const due = ((performance.now() - start) / 1000) * pace;
    for (; records < due; records++) exporter.take(record);
    exporter.tick();
    await sleep(1);
  }
  const { user, system } = process.cpuUsage(before);
  await exporter.close();
  const { sentMessages, notSentRecords } = exporter.status;
  const arrived = async (): Promise<number> => {
    sink.write('?\n');
    await sleep(100);
    return Number(/got (\d+)\.$/.exec(sink.said)?.[1] ?? 0);
  };
  let messages = 0;
  await sink.until(async () => (messages = await arrived()) >= sentMessages, 2000).catch(() => undefined);
  await sink.stop();
  return {
    perCpuSecond: records / ((user + system) / 1e6),
    records,
    lost: notSentRecords + Math.max(0, sentMessages - messages),
  };
}

export async function run(): Promise<void> {
  const { quick } = benchOptions();
  const sizes = quick ? { records: 50_000, rounds: 2, seconds: 1 } : { records: 500_000, rounds: 4, seconds: 5 };
  buildWorkload();
  const cpus = chooseCpus();
  const unpin = pinSelf(cpus.workload);
  const rows = [['export-zmq', 'octets each', 'encode, per CPU second', 'and send', 'lost']];
  let lostAtAll = 0;
  for (const [name, settings] of Object.entries(WAYS)) {
    const config = configOf(settings);
    const [perCpuSecond, octets] = await encoding(config.zmq, sizes);
    const sent = await sending(config, sizes.seconds, cpus.others);
    lostAtAll += sent.lost;
    const numbers = [octets, perCpuSecond, sent.perCpuSecond, sent.lost];
    rows.push([name, ...numbers.map((number) => String(Math.round(number)))]);
  }
  console.log(table(rows));
  const pace = `${STEADY_PER_SECOND} records/s, ${STEADY_SINGLE_PER_SECOND} to ntopng 2.0, for ${sizes.seconds} s`;
  console.log(`export-zmq: ${pace} each, none lost: ${reached(lostAtAll === 0)}`);
  unpin();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run();
