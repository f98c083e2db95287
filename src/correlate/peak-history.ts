/** The highest memory of a process since any time, as its samples tell: each has the peak since the sample before. */

/** More falls of memory than this are not told apart: the oldest peak then counts for the next one's time, too. */
const MAX_ENTRIES = 32;

export class PeakHistory {
  /** Since when each peak was looked for, rising; and the peaks, falling: a lower one before a higher one is no news. */
  private readonly sinceNs: number[] = [];
  private readonly peaks: number[] = [];

  /** Adds the highest memory from `sinceNs` to now. */
  add(sinceNs: number, peak: number): void {
    while (this.peaks.length > 0 && (this.peaks.at(-1) as number) <= peak) {
      this.peaks.pop();
      this.sinceNs.pop();
    }
    this.sinceNs.push(sinceNs);
    this.peaks.push(peak);
    if (this.peaks.length <= MAX_ENTRIES) return;
    this.sinceNs.shift();
    const [oldest = peak] = this.peaks.splice(0, 1);
    this.peaks[0] = oldest;
  }

  /** The highest in the intervals that lie wholly after `fromNs`; NaN when there is none. */
  since(fromNs: number): number {
    let low = 0;
    let high = this.sinceNs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.sinceNs[middle] as number) < fromNs) low = middle + 1;
      else high = middle;
    }
    return this.peaks[low] ?? NaN;
  }
}
