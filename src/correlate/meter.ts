/** What is kept of a process's usage: its last samples, and what its flows have moved. */
import { Movement } from './movement.js';
import type { PeakHistory } from './peak-history.js';
import type { Track } from './series/track.js';
import { Reading } from './usage.js';
import { NO_WINDOW } from './windows.js';

export class Meter {
  /** The latest sample, or what it had spent when it exited; null before there was a sample. */
  latest: Reading | null = null;
  /** The sample before the latest; null after the exit. */
  before: Reading | null = null;
  /** The window of all its life, when it has exited and its totals are known. */
  final = NO_WINDOW;
  /** Highest memory of all samples; NaN when unknown. */
  highestMemoryBytes = NaN;
  peaks: PeakHistory | null = null;
  /** See `Windows`. */
  epoch = 0;
  /** What its flows have moved since the agent's start. */
  readonly moved = new Movement();
  track: Track | null = null;
  /** The pass of sampling that saw it last. */
  pass = 0;

  /** Begins another sample: gives the reading to fill, which is the latest from now on. */
  nextSample(): Reading {
    const sample = this.before ?? new Reading();
    this.before = this.latest;
    this.latest = sample;
    return sample;
  }

  /** The last sample that is not later than a time; null when there is none. */
  sampleBefore(timeNs: number): Reading | null {
    if (this.latest !== null && this.latest.timeNs <= timeNs) return this.latest;
    return this.before !== null && this.before.timeNs <= timeNs ? this.before : null;
  }
}
