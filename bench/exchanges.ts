/** What an exchange costs in user space: CPU time from the batch to the facts, and memory while it is remembered. */
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BatchWriter, type WrittenRow } from '../src/capture/batch.js';
import { EXCHANGE_KIND } from '../src/capture/layout.js';
import { applyNow, benchCorrelator, openBatch, processBatch } from './lib/correlate-traffic.js';

const MS = 1e6;
const EXCHANGES = 60_000;
/** As many as come in 20 ms at 10 000 a second. */
const BATCH_EXCHANGES = 200;
const CONNECTIONS = 64;
const GOAL_MICROS = 10;

interface Shape {
  readonly what: string;
  /** The client is on this host, too. */
  readonly bothEnds: boolean;
  /** How many targets and user agents there are. */
  readonly texts: number;
}

function exchangeRow(shape: Shape, index: number, side: 0 | 1, kind: number, nowMs: number): WrittenRow<'exchange'> {
  const connection = index % CONNECTIONS;
  const isEnd = kind === EXCHANGE_KIND.ended;
  const pid = side === 1 ? 100 : 200;
  return {
    kind,
    side,
    version: 11,
    usageFlags: isEnd ? 31 : 0,
    cookie: side === 1 ? connection + 1 : 1e9 + connection,
    ordinal: Math.floor(index / CONNECTIONS),
    timeNs: nowMs * MS,
    requestStartNs: nowMs * MS,
    requestEndNs: nowMs * MS,
    responseStartNs: isEnd ? (nowMs + 1) * MS : 0,
    responseEndNs: isEnd ? (nowMs + 2) * MS : 0,
    method: 'GET',
    target: `/items/${index % shape.texts}?session=${index % shape.texts}`,
    host: 'www.example.org',
    userAgent: `bench/${(index % shape.texts) % 100}`,
    status: isEnd ? 200 : 0,
    requestBytes: isEnd ? 120 : 0,
    responseBytes: isEnd ? 5000 : 0,
    pid,
    startNs: pid * MS,
    tid: pid,
    threadName: 'worker',
    windowFromNs: nowMs * MS,
    windowToNs: (nowMs + 2) * MS,
    cpuNs: 1e6 + index,
    userNs: 8e5,
    systemNs: 2e5 + index,
    memoryBytes: 50e6,
    peakMemoryBytes: 51e6,
    threadCpuNs: 1e6,
    threadUserNs: 8e5,
    threadSystemNs: 2e5,
  };
}

function exchangeBatch(shape: Shape, from: number, nowMs: number): ArrayBuffer {
  const writer = new BatchWriter();
  for (let index = from; index < from + BATCH_EXCHANGES; index++) {
    for (const kind of [EXCHANGE_KIND.started, EXCHANGE_KIND.ended]) {
      if (shape.bothEnds) writer.add('exchange', exchangeRow(shape, index, 0, kind, nowMs));
      writer.add('exchange', exchangeRow(shape, index, 1, kind, nowMs));
    }
  }
  return writer.seal(nowMs * MS, 1.7e18);
}

async function measure(shape: Shape): Promise<string> {
  const keepEndedMax = EXCHANGES;
  const exchanges = { keepEndedMs: 600_000, keepEndedMax, maxLive: 100_000, queryStrings: false, redact: [] };
  const correlator = benchCorrelator({ exchanges });
  let facts = 0;
  correlator.subscribe(() => facts++);
  applyNow(correlator, processBatch());
  applyNow(correlator, openBatch(0, CONNECTIONS, 2000, shape.bothEnds));
  const run = async (first: number, count: number): Promise<{ micros: number; bytes: number }> => {
    // Written beforehand: the writer's garbage must not be collected on the correlator's account.
    const batches: ArrayBuffer[] = [];
    for (let from = first; from < first + count; from += BATCH_EXCHANGES) {
      batches.push(exchangeBatch(shape, from, 3000 + from / 10));
    }
    await memory();
    const before = process.cpuUsage();
    for (const batch of batches) applyNow(correlator, batch);
    const used = process.cpuUsage(before);
    batches.length = 0;
    return { micros: (used.user + used.system) / count, bytes: await memory() };
  };
  // The first part warms the code up.
  const warm = await run(0, EXCHANGES / 2);
  const { micros, bytes } = await run(EXCHANGES / 2, EXCHANGES / 2);
  if (facts < 2 * EXCHANGES) throw new Error(`only ${facts} facts`);
  const each = Math.round((bytes - warm.bytes) / (EXCHANGES / 2));
  return `${shape.what}: ${micros.toFixed(2)} µs of CPU time each (goal ${GOAL_MICROS}), ${each} bytes while remembered`;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Heap and what lies outside of it, after a collection. */
async function memory(): Promise<number> {
  collect();
  // What lies outside is freed a little later.
  await delay(50);
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

export async function run(): Promise<void> {
  const shapes: readonly Shape[] = [
    { what: 'served here, ten targets', bothEnds: false, texts: 10 },
    { what: 'served here, each its own target', bothEnds: false, texts: EXCHANGES },
    { what: 'both ends here, ten targets', bothEnds: true, texts: 10 },
    { what: 'both ends here, each its own target', bothEnds: true, texts: EXCHANGES },
  ];
  for (const shape of shapes) console.log(`exchanges: ${await measure(shape)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run();
