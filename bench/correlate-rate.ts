/** How many flows one core starts and ends in a second. Goal: 50 000. */
import { pathToFileURL } from 'node:url';
import { applyNow, benchCorrelator, endBatch, openBatch, processBatch } from './lib/correlate-traffic.js';

const GOAL_PER_SECOND = 50_000;
const FLOWS = 200_000;
/** As many as come in 20 ms at the goal. */
const BATCH_FLOWS = 1000;

interface Result {
  readonly what: string;
  readonly perSecond: number;
}

function measure(what: string, bothEnds: boolean, listening: boolean): Result {
  const correlator = benchCorrelator();
  let facts = 0;
  if (listening) correlator.subscribe(() => facts++);
  applyNow(correlator, processBatch());
  // Written beforehand: the writer's garbage must not be collected on the correlator's account.
  const batches: ArrayBuffer[] = [];
  for (let from = 0; from < FLOWS; from += BATCH_FLOWS) {
    const nowMs = 2000 + (from / BATCH_FLOWS) * 20;
    batches.push(
      openBatch(from, from + BATCH_FLOWS, nowMs, bothEnds),
      endBatch(from, from + BATCH_FLOWS, nowMs + 10, bothEnds),
    );
  }
  // The first quarter warms the code up.
  const warmUp = batches.splice(0, batches.length / 4);
  for (const batch of warmUp) applyNow(correlator, batch);
  const before = process.cpuUsage();
  for (const batch of batches) applyNow(correlator, batch);
  const used = process.cpuUsage(before);
  const cpuMicros = used.user + used.system;
  if (listening && facts < 2 * FLOWS) throw new Error(`only ${facts} facts`);
  return { what, perSecond: (FLOWS * 0.75) / (cpuMicros / 1e6) };
}

export function run(): Promise<void> {
  const results = [
    measure('accepted connections', false, false),
    measure('accepted connections, with a listener', false, true),
    measure('both ends local', true, true),
  ];
  for (const { what, perSecond } of results) {
    const micros = (1e6 / perSecond).toFixed(1);
    console.log(
      `correlate-rate: ${what}: ${Math.round(perSecond)} starts+ends per CPU second, ${micros} µs each, ${(perSecond / GOAL_PER_SECOND).toFixed(2)} of the goal`,
    );
  }
  return Promise.resolve();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run();
