/** What was spent in a window. */

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
