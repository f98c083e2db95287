/** What was spent: readings of a process, and the difference of two of them. */
import type { Batch } from '../capture/batch.js';
import { USAGE_FLAG } from '../capture/layout.js';
import type { BootClock } from './clock.js';

/** What a process has spent since its start, as the kernel had it at one moment. NaN is unknown. */
export class Reading {
  /** When it was read, in ns since boot. */
  timeNs = 0;
  /** The same in µs of Unix time. */
  micros = 0;
  cpuNs = 0;
  userNs = 0;
  minorFaults = 0;
  majorFaults = 0;
  ioWaitNs = NaN;
  readBytes = 0;
  writtenBytes = 0;
  voluntarySwitches = 0;
  involuntarySwitches = 0;
  /** Resident memory at that moment. */
  memoryBytes = NaN;
  /** Highest resident memory since the sample before, or since the use of a socket began. */
  peakMemoryBytes = NaN;

  /** Takes over a row of the usage table. */
  read(batch: Batch, row: number, clock: BootClock): this {
    const table = batch.usage;
    const flags = table.flags[row] as number;
    this.timeNs = table.timeNs[row] as number;
    this.micros = clock.micros(this.timeNs);
    this.cpuNs = table.cpuNs[row] as number;
    this.userNs = table.userNs[row] as number;
    this.minorFaults = table.minorFaults[row] as number;
    this.majorFaults = table.majorFaults[row] as number;
    this.ioWaitNs = (flags & USAGE_FLAG.ioWait) === 0 ? NaN : (table.ioWaitNs[row] as number);
    const isWhole = (flags & USAGE_FLAG.part) === 0;
    this.readBytes = isWhole ? (table.readBytes[row] as number) : NaN;
    this.writtenBytes = isWhole ? (table.writtenBytes[row] as number) : NaN;
    this.voluntarySwitches = isWhole ? (table.voluntarySwitches[row] as number) : NaN;
    this.involuntarySwitches = isWhole ? (table.involuntarySwitches[row] as number) : NaN;
    this.memoryBytes = (flags & USAGE_FLAG.memory) === 0 ? NaN : (table.memoryBytes[row] as number);
    this.peakMemoryBytes = (flags & USAGE_FLAG.peak) === 0 ? NaN : (table.peakMemoryBytes[row] as number);
    return this;
  }
}

/** What was spent in a window: the difference of two readings. null is unknown. */
export class Usage {
  cpuTimeMs: number | null = null;
  userMs: number | null = null;
  systemMs: number | null = null;
  /** Resident memory at the window's end; null past the exit. */
  memoryBytes: number | null = null;
  /** Highest resident memory in the window. */
  peakMemoryBytes: number | null = null;
  minorFaults: number | null = null;
  majorFaults: number | null = null;
  /** Time its threads waited for block I/O. */
  ioWaitMs: number | null = null;
  readBytes: number | null = null;
  writtenBytes: number | null = null;
  voluntarySwitches: number | null = null;
  involuntarySwitches: number | null = null;

  constructor(
    /** Exactly when the two readings were made. */
    readonly window: { readonly from: number; readonly to: number },
  ) {}

  /** CPU time over the length of the window, in percent of one CPU. */
  get averageCpuLoadPercent(): number | null {
    return this.percent(this.cpuTimeMs);
  }

  /** Time of waiting for block I/O over the length of the window; with several threads it may pass 100. */
  get ioWaitPercent(): number | null {
    return this.percent(this.ioWaitMs);
  }

  private percent(ms: number | null): number | null {
    const lengthMs = (this.window.to - this.window.from) / 1000;
    return ms === null || lengthMs <= 0 ? null : (ms / lengthMs) * 100;
  }
}

/** Inside NaN is unknown, outside null. */
export function knownOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** What was spent from one reading to the next; nothing is ever spent backwards. */
export function spent(from: number, to: number): number {
  const amount = to - from;
  return amount < 0 ? 0 : amount;
}

/** The usage between two readings of one process. `peakMemoryBytes` and both times are the caller's to know. */
export function usageBetween(
  from: Reading,
  to: Reading,
  window: { readonly from: number; readonly to: number },
  peakMemoryBytes: number,
): Usage {
  const usage = new Usage(window);
  const cpuNs = spent(from.cpuNs, to.cpuNs);
  const userNs = Math.min(spent(from.userNs, to.userNs), cpuNs);
  usage.cpuTimeMs = cpuNs / 1e6;
  usage.userMs = userNs / 1e6;
  usage.systemMs = (cpuNs - userNs) / 1e6;
  usage.memoryBytes = knownOrNull(to.memoryBytes);
  usage.peakMemoryBytes = knownOrNull(peakMemoryBytes);
  usage.minorFaults = spent(from.minorFaults, to.minorFaults);
  usage.majorFaults = spent(from.majorFaults, to.majorFaults);
  usage.ioWaitMs = knownOrNull(spent(from.ioWaitNs, to.ioWaitNs) / 1e6);
  usage.readBytes = knownOrNull(spent(from.readBytes, to.readBytes));
  usage.writtenBytes = knownOrNull(spent(from.writtenBytes, to.writtenBytes));
  usage.voluntarySwitches = knownOrNull(spent(from.voluntarySwitches, to.voluntarySwitches));
  usage.involuntarySwitches = knownOrNull(spent(from.involuntarySwitches, to.involuntarySwitches));
  return usage;
}

/** At its start a process has spent nothing. */
export const NOTHING_SPENT: Reading = Object.assign(new Reading(), { ioWaitNs: 0 });
