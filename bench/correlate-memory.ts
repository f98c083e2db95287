/** Memory of a million live flows, fed from a recording in a process of its own. Goal: 1 GiB resident. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { readRecording, RecordingWriter } from '../src/capture/recording.js';
import { benchCorrelator, openBatch, processBatch } from './lib/correlate-traffic.js';

const GOAL_BYTES = 1024 ** 3;
const FLOWS = 1_000_000;
const BATCH_FLOWS = 1000;

interface Result {
  readonly flows: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
  readonly emptyBytes: number;
  readonly longestSliceMs: number;
  readonly seconds: number;
}

async function write(file: string): Promise<void> {
  const host = {
    hostId: 'bench',
    bootId: 'bench',
    hostname: 'bench',
    kernel: '',
    agentVersion: '',
    source: 'ebpf',
    startMicros: 0,
  };
  const writer = await RecordingWriter.create(file, host);
  writer.append(processBatch(), 0);
  for (let from = 0; from < FLOWS; from += BATCH_FLOWS) {
    const nowMs = 2000 + (from / BATCH_FLOWS) * 20;
    writer.append(openBatch(from, from + BATCH_FLOWS, nowMs), nowMs * 1000);
    await writer.flushed();
  }
  await writer.close();
}

/** In the measured process: replays and prints a {@link Result}. */
async function replay(file: string): Promise<void> {
  const correlator = benchCorrelator();
  const emptyBytes = process.memoryUsage.rss();
  const start = performance.now();
  let longestSliceMs = 0;
  let last = start;
  let running = true;
  const watch = (): void => {
    const now = performance.now();
    longestSliceMs = Math.max(longestSliceMs, now - last);
    last = now;
    if (running) setImmediate(watch);
  };
  watch();
  for await (const { batch } of readRecording(file)) {
    correlator.apply(batch);
    await correlator.settled();
  }
  running = false;
  const result: Result = {
    flows: correlator.status().liveFlows,
    residentBytes: process.memoryUsage.rss(),
    peakBytes: process.resourceUsage().maxRSS * 1024,
    emptyBytes,
    longestSliceMs,
    seconds: (performance.now() - start) / 1000,
  };
  console.log(JSON.stringify(result));
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'procflow-bench-'));
  try {
    const file = join(folder, 'million.pfrec');
    await write(file);
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), file]);
    const result = JSON.parse(stdout) as Result;
    const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
    const perFlow = Math.round((result.residentBytes - result.emptyBytes) / result.flows);
    console.log(
      `correlate-memory: ${result.flows} live flows: ${mib(result.residentBytes)} resident (peak ${mib(result.peakBytes)}), ` +
        `${perFlow} bytes a flow, ${(result.residentBytes / GOAL_BYTES).toFixed(2)} of the limit; ` +
        `replayed in ${result.seconds.toFixed(1)} s, longest pause ${result.longestSliceMs.toFixed(0)} ms`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = process.argv[2];
  if (file === undefined) await run();
  else await replay(file);
}
