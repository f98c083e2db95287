/** Who may have become idle, by second: each half is looked at once per timeout, not each second. */
import type { PeerHalf } from './halves.js';

const SECOND_MICROS = 1_000_000;

export class IdleWheel {
  private readonly seconds = new Map<number, Set<PeerHalf>>();
  private nextSecond: number | null = null;

  /** Looks at the half again at `micros`, instead of any earlier wish. */
  watch(half: PeerHalf, micros: number): void {
    this.forget(half);
    let second = Math.ceil(micros / SECOND_MICROS);
    // A second that was taken already would never come again.
    if (this.nextSecond !== null) second = Math.max(second, this.nextSecond);
    half.idleSecond = second;
    const others = this.seconds.get(second);
    if (others === undefined) this.seconds.set(second, new Set([half]));
    else others.add(half);
  }

  forget(half: PeerHalf): void {
    if (half.idleSecond < 0) return;
    const others = this.seconds.get(half.idleSecond);
    others?.delete(half);
    if (others?.size === 0) this.seconds.delete(half.idleSecond);
    half.idleSecond = -1;
  }

  /** Takes out all whose second has come. */
  *due(nowMicros: number): Generator<PeerHalf, void> {
    const now = Math.floor(nowMicros / SECOND_MICROS);
    if (this.seconds.size > 0) {
      for (const second of [...this.seconds.keys()].filter((key) => key <= now)) {
        for (const half of this.seconds.get(second) ?? []) {
          this.forget(half);
          yield half;
        }
      }
    }
    this.nextSecond = now + 1;
  }

  get size(): number {
    let size = 0;
    for (const halves of this.seconds.values()) size += halves.size;
    return size;
  }
}
