/** All processes of one executable, user, container or of the host: what they spend and move together. */
import { Movement } from '../movement.js';
import { knownOrNull, Usage } from '../usage.js';
import { COUNTER, COUNTERS } from './columns.js';
import type { Track } from './track.js';

export type GroupKind = 'executable' | 'user' | 'container' | 'host';

export class Group {
  /** Everything since `sinceMicros`; processes that lived shorter than a sampling interval count. */
  readonly totals = new Float64Array(COUNTERS);
  /** The same when the latest pass of sampling was over, and the one before. */
  private readonly latest = new Float64Array(COUNTERS);
  private readonly before = new Float64Array(COUNTERS);
  private beforeMicros: number | null = null;
  private latestMicros: number | null = null;
  /** Resident memory of its processes together, at the latest sample of each; NaN before there was one. */
  memoryBytes = NaN;
  /** The highest that `memoryBytes` was. */
  peakMemoryBytes = NaN;
  /** Ends of live flows that its processes have. */
  connections = 0;
  /** Processes that live. */
  processes = 0;
  /** The last slot in which a process of it lived. */
  lastSlot = 0;

  constructor(
    readonly key: string | number,
    readonly track: Track,
    readonly sinceMicros: number,
  ) {}

  /** Levels are counted anew: process by process, then {@link settleLevels}. */
  clearLevels(): void {
    this.memoryBytes = NaN;
    this.connections = 0;
    this.processes = 0;
  }

  /** A process that lives. Memory that is not known is left out of the sum. */
  addLevels(memoryBytes: number, connections: number): void {
    if (!Number.isNaN(memoryBytes)) {
      this.memoryBytes = (Number.isNaN(this.memoryBytes) ? 0 : this.memoryBytes) + memoryBytes;
    }
    this.connections += connections;
    this.processes++;
  }

  settleLevels(slot: number): void {
    if (this.processes > 0) this.lastSlot = slot;
    if (!(this.peakMemoryBytes >= this.memoryBytes)) this.peakMemoryBytes = this.memoryBytes;
  }

  /** A pass of sampling is over: what came since the last one is what was spent currently. */
  endPass(micros: number): void {
    this.before.set(this.latest);
    this.latest.set(this.totals);
    this.beforeMicros = this.latestMicros;
    this.latestMicros = micros;
  }

  /** What was spent since the agent has known of it; null before the first sample. */
  get usage(): Usage | null {
    if (this.latestMicros === null) return null;
    const usage = this.usageOf((counter) => this.totals[counter] as number, this.sinceMicros, this.latestMicros);
    usage.memoryBytes = knownOrNull(this.memoryBytes);
    usage.peakMemoryBytes = knownOrNull(this.peakMemoryBytes);
    return usage;
  }

  /** What was spent between the two latest passes of sampling; null before there were two. */
  get current(): Usage | null {
    if (this.latestMicros === null || this.beforeMicros === null) return null;
    const amount = (counter: number): number => (this.latest[counter] as number) - (this.before[counter] as number);
    const usage = this.usageOf(amount, this.beforeMicros, this.latestMicros);
    usage.memoryBytes = knownOrNull(this.memoryBytes);
    return usage;
  }

  get moved(): Movement {
    const { totals } = this;
    return Object.assign(new Movement(), {
      sentOctets: totals[COUNTER.sentOctets],
      receivedOctets: totals[COUNTER.receivedOctets],
      sentPackets: totals[COUNTER.sentPackets],
      receivedPackets: totals[COUNTER.receivedPackets],
    });
  }

  private usageOf(amount: (counter: number) => number, from: number, to: number): Usage {
    const usage = new Usage({ from, to });
    usage.cpuTimeMs = amount(COUNTER.cpuNs) / 1e6;
    usage.userMs = amount(COUNTER.userNs) / 1e6;
    usage.systemMs = usage.cpuTimeMs - usage.userMs;
    usage.minorFaults = amount(COUNTER.minorFaults);
    usage.majorFaults = amount(COUNTER.majorFaults);
    usage.ioWaitMs = this.track.ioWaitKnown ? amount(COUNTER.ioWaitNs) / 1e6 : null;
    if (!this.track.isWhole) return usage;
    usage.readBytes = amount(COUNTER.readBytes);
    usage.writtenBytes = amount(COUNTER.writtenBytes);
    usage.voluntarySwitches = amount(COUNTER.voluntarySwitches);
    usage.involuntarySwitches = amount(COUNTER.involuntarySwitches);
    return usage;
  }
}
