/**
 * What ran on the host between two times. Processes are read at each tick of sampling, so what each spent is known from
 * one sample to the next, and for what lies before the two latest from the series. Of an interval that lies in part
 * within the times asked for, that part counts, as if all was spent evenly; of a life that lies within, all of it.
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

/** What a process spent in intervals that follow each other. */
interface Spent {
  readonly process: Process;
  readonly intervals: readonly Usage[];
}

export class RanWithin {
  private readonly answers = new Map<string, readonly Spent[]>();

  constructor(
    private readonly processes: Pick<ProcessTable, 'all'>,
    private readonly recorder: Pick<Recorder, 'store' | 'passes'>,
    private readonly ledger: Pick<UsageLedger, 'totalOf'>,
  ) {}

  /** Something has changed. */
  clear(): void {
    if (this.answers.size > 0) this.answers.clear();
  }

  /** Every process that spent something, and how much. What came after the latest sample is not in it. */
  between(fromMicros: number, toMicros: number): readonly ProcessUsage[] {
    const { latestMicros, previousMicros } = this.recorder.passes;
    if (latestMicros === null || fromMicros >= latestMicros) return [];
    const { store } = this.recorder;
    const first = store.slotOf(fromMicros);
    const last = store.slotOf(Math.min(toMicros, latestMicros));
    const isRecent = previousMicros !== null && fromMicros >= previousMicros;
    const key = `${first} ${last} ${String(isRecent)}`;
    let answer = this.answers.get(key);
    if (answer === undefined) {
      answer = this.spentIn(first, last, isRecent);
      if (this.answers.size >= MAX_ANSWERS) this.answers.clear();
      this.answers.set(key, answer);
    }
    const ran: ProcessUsage[] = [];
    for (const { process, intervals } of answer) {
      const usage = partOf(intervals, fromMicros, toMicros);
      if (usage !== null) ran.push({ process, usage });
    }
    return ran;
  }

  /** What every process spent around some slots. */
  private spentIn(first: number, last: number, isRecent: boolean): readonly Spent[] {
    const spent: Spent[] = [];
    for (const process of this.processes.all()) {
      const intervals = this.intervalsOf(process, first, last, isRecent);
      if (intervals.some(hasSpent)) spent.push({ process, intervals });
    }
    return spent;
  }

  private intervalsOf(process: Process, first: number, last: number, isRecent: boolean): readonly Usage[] {
    const { meter, startMicros, endMicros } = process;
    if (meter === null) return [];
    if (isRecent && endMicros === null) return only(betweenSamples(process, meter));
    const { store } = this.recorder;
    // All of its life lies within, or it was too short for a series.
    const livedWithin = endMicros !== null && (meter.track === null || startMicros >= store.microsOf(first));
    if (livedWithin) return only(this.ledger.totalOf(process));
    return meter.track === null ? [] : this.fromSeries(process, meter.track, first, last);
  }

  /** The first slot, those between, and the last one: at most three intervals, since only of the outer ones a part counts. */
  private fromSeries(process: Process, track: Track, first: number, last: number): readonly Usage[] {
    const { store } = this.recorder;
    // Nothing has ever happened in it.
    if (track.pages === null) return [];
    let begin = first;
    while (begin <= last && !store.holds(track, begin)) begin++;
    let end = last;
    while (end >= begin && !store.holds(track, end)) end--;
    const intervals: Usage[] = [];
    const add = (from: number, to: number): void => {
      if (from < to) intervals.push(this.slots(process, track, from, to));
    };
    add(begin, Math.min(begin + 1, end + 1));
    add(begin + 1, end);
    add(Math.max(begin + 1, end), end + 1);
    return intervals;
  }

  /** What the series have from the beginning of one slot to that of another. */
  private slots(process: Process, track: Track, begin: number, end: number): Usage {
    const { store, passes } = this.recorder;
    const usage = new Usage({
      from: Math.max(store.microsOf(begin), process.startedBefore ? 0 : process.startMicros),
      to: Math.min(store.microsOf(end), process.endMicros ?? passes.latestMicros ?? Infinity),
    });
    const sum = (counter: number): number => {
      let total = 0;
      for (let slot = begin; slot < end; slot++) total += store.read(track, counter, slot);
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
    usage.memoryBytes = knownOrNull(store.read(track, COUNTERS + LEVEL.memoryBytes, end - 1));
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

const TIMES = ['cpuTimeMs', 'userMs', 'systemMs', 'ioWaitMs'] as const;
const COUNTS = [
  ...(['minorFaults', 'majorFaults', 'readBytes', 'writtenBytes'] as const),
  ...(['voluntarySwitches', 'involuntarySwitches'] as const),
] as const;

function only(usage: Usage | null): readonly Usage[] {
  return usage === null ? [] : [usage];
}

function hasSpent(usage: Usage): boolean {
  return [...TIMES, ...COUNTS].some((amount) => (usage[amount] ?? 0) > 0);
}

/** What of some intervals lies between two times; null when none of them does. */
function partOf(intervals: readonly Usage[], from: number, to: number): Usage | null {
  const within = intervals.filter(({ window }) => window.to > from && window.from < to);
  const [first] = within;
  const last = within.at(-1);
  if (first === undefined || last === undefined) return null;
  const window = { from: Math.max(from, first.window.from), to: Math.min(to, last.window.to) };
  const usage = new Usage(window);
  const shares = within.map(({ window: of }) => (Math.min(to, of.to) - Math.max(from, of.from)) / (of.to - of.from));
  const sum = (amount: (typeof TIMES | typeof COUNTS)[number]): number | null => {
    let total = 0;
    for (const [i, interval] of within.entries()) {
      const spent = interval[amount];
      if (spent === null) return null;
      total += spent * (shares[i] as number);
    }
    return total;
  };
  for (const time of TIMES) usage[time] = sum(time);
  for (const count of COUNTS) usage[count] = rounded(sum(count));
  usage.memoryBytes = last.memoryBytes;
  // The highest of an interval may have been outside of the part.
  if (within.length === 1 && shares[0] === 1) usage.peakMemoryBytes = first.peakMemoryBytes;
  return usage;
}

function rounded(amount: number | null): number | null {
  return amount === null ? null : Math.round(amount);
}
