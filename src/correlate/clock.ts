/** Boot time as capture gives it, and Unix time as the model has it. */
export class BootClock {
  private offsetMicros = 0;
  private latestNs = 0;
  private originNs: number | null = null;

  /** Takes over the reading of both clocks that a batch brings. */
  read(bootNs: number, bootToUnixNs: number): void {
    this.offsetMicros = bootToUnixNs / 1000;
    this.originNs ??= bootNs;
    this.advance(bootNs);
  }

  advance(bootNs: number): void {
    this.latestNs = Math.max(this.latestNs, bootNs);
  }

  /** The latest time heard of. */
  get nowNs(): number {
    return this.latestNs;
  }

  get nowMicros(): number {
    return this.micros(this.latestNs);
  }

  /** When the first batch was closed: what is older than that was there before. */
  get firstNs(): number {
    return this.originNs ?? 0;
  }

  /** Unix µs of a boot time. */
  micros(bootNs: number): number {
    return Math.round(bootNs / 1000 + this.offsetMicros);
  }
}
