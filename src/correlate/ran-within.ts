/**
 * What ran on the host between two times. Processes are read at each tick of sampling, so it is known from one sample to
 * the next: exactly for the two latest, and from the series, which divide by time, for what lies before.
 */
import type { ProcessUsage } from './live-state.js';
import type { Meter } from './meter.js';
import type { Process } from './model.js';
import type { ProcessTable } from './process-table.js';
import { COUNTER, COUNTERS, LEVEL } from './series/columns.js';
import type { Recorder } from './series/recorder.js';
import type { Track } from './series/track.js';
import { knownOrNull, NOTHING_SPENT, Usage, usageBetween } from './usage.js';
import type { UsageLedger } from './usage-ledger.js';

/** Answers kept while nothing changes: the exchanges of one page often lie between the same samples. */
const MAX_ANSWERS = 64;

export class RanWithin {
  private readonly answers = new Map<string, readonly ProcessUsage[]>();

  constructor(
    private readonly processes: Pick<ProcessTable, 'all'>,
    private readonly recorder: Pick<Recorder, 'store' | 'passes'>,
    private readonly ledger: Pick<UsageLedger, 'totalOf'>,
  ) {}

  /** Something has changed. */
  clear(): void {
    if (this.answers.size > 0) this.answers.clear();
  }

  /** Every process that spent something, with the window in which it did. */
  between(fromMicros: number, toMicros: number): readonly ProcessUsage[] {
    const { latestMicros, previousMicros } = this.recorder.passes;
    if (latestMicros === null || fromMicros >= latestMicros) return [];
    const { store } = this.recorder;
    const first = store.slotOf(fromMicros);
    const last = store.slotOf(Math.min(toMicros, latestMicros));
    const isRecent = previousMicros !== null && fromMicros >= previousMicros;
    const key = `${first} ${last} ${String(isRecent)}`;
    let spent = this.answers.get(key);
    if (spent === undefined) {
      spent = this.spentIn(first, last, isRecent);
      if (this.answers.size >= MAX_ANSWERS) this.answers.clear();
      this.answers.set(key, spent);
    }
    return spent.filter(
      ({ process: { startMicros, endMicros }, usage }) =>
        startMicros <= toMicros && (endMicros ?? Infinity) >= fromMicros && usage.window.to > fromMicros,
    );
  }

  /** What every process spent around some slots. */
  private spentIn(first: number, last: number, isRecent: boolean): readonly ProcessUsage[] {
    const spent: ProcessUsage[] = [];
    for (const process of this.processes.all()) {
      const usage = this.usageOf(process, first, last, isRecent);
      if (usage !== null && hasSpent(usage)) spent.push({ process, usage });
    }
    return spent;
  }

  private usageOf(process: Process, first: number, last: number, isRecent: boolean): Usage | null {
    const { meter, startMicros, endMicros } = process;
    if (meter === null) return null;
    if (isRecent && endMicros === null) return betweenSamples(process, meter);
    const { store } = this.recorder;
    // All of its life lies within, or it was too short for a series.
    const livedWithin = endMicros !== null && (meter.track === null || startMicros >= store.microsOf(first));
    if (livedWithin) return this.ledger.totalOf(process);
    return meter.track === null ? null : this.fromSeries(process, meter.track, first, last);
  }

  /** From the beginning of one slot to the end of another, as far as they are known. */
  private fromSeries(process: Process, track: Track, first: number, last: number): Usage | null {
    const { store, passes } = this.recorder;
    // Nothing has ever happened in it.
    if (track.pages === null) return null;
    let begin = first;
    while (begin <= last && !store.holds(track, begin)) begin++;
    let end = last;
    while (end >= begin && !store.holds(track, end)) end--;
    if (begin > end) return null;
    const usage = new Usage({
      from: Math.max(store.microsOf(begin), process.startedBefore ? 0 : process.startMicros),
      to: Math.min(store.microsOf(end + 1), process.endMicros ?? passes.latestMicros ?? Infinity),
    });
    const sum = (counter: number): number => {
      let total = 0;
      for (let slot = begin; slot <= end; slot++) total += store.read(track, counter, slot);
      return total;
    };
    const cpuNs = sum(COUNTER.cpuNs);
    const userNs = Math.min(sum(COUNTER.userNs), cpuNs);
    usage.cpuTimeMs = cpuNs / 1e6;
    usage.userMs = userNs / 1e6;
    usage.systemMs = (cpuNs - userNs) / 1e6;
    usage.minorFaults = sum(COUNTER.minorFaults);
    usage.majorFaults = sum(COUNTER.majorFaults);
    usage.ioWaitMs = track.ioWaitKnown ? sum(COUNTER.ioWaitNs) / 1e6 : null;
    usage.readBytes = sum(COUNTER.readBytes);
    usage.writtenBytes = sum(COUNTER.writtenBytes);
    usage.voluntarySwitches = sum(COUNTER.voluntarySwitches);
    usage.involuntarySwitches = sum(COUNTER.involuntarySwitches);
    usage.memoryBytes = knownOrNull(store.read(track, COUNTERS + LEVEL.memoryBytes, end));
    return usage;
  }
}

/** Between the two latest samples, or since the start of a process that is younger than that. */
function betweenSamples(process: Process, { before, latest }: Meter): Usage | null {
  if (latest === null || (before === null && process.startedBefore)) return null;
  const from = before ?? NOTHING_SPENT;
  const window = { from: before?.micros ?? process.startMicros, to: latest.micros };
  return usageBetween(from, latest, window, latest.peakMemoryBytes);
}

const SPENT = ['cpuTimeMs', 'minorFaults', 'majorFaults', 'readBytes', 'writtenBytes', 'voluntarySwitches'] as const;

function hasSpent(usage: Usage): boolean {
  return SPENT.some((amount) => (usage[amount] ?? 0) > 0);
}
