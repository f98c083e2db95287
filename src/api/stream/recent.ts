import type { StreamEvent } from './group.js';

/** Events kept for those that resume. Each may keep an ended flow from being collected, so not many. */
const CAPACITY = 16_384;

/** A ring of the last events. */
export class Recent<T> {
  readonly #ring: StreamEvent<T>[] = [];
  #next = 0;
  /** Sequence of the newest event that was overwritten. */
  #lastGone = 0;

  add(event: StreamEvent<T>): void {
    const old = this.#ring[this.#next];
    if (old !== undefined) this.#lastGone = old.sequence ?? this.#lastGone;
    this.#ring[this.#next] = event;
    this.#next = (this.#next + 1) % CAPACITY;
  }

  /** What came after an event, oldest first, and how many in between are gone (of all kinds, before any filter). */
  after(sequence: number): { readonly missed: number; readonly events: StreamEvent<T>[] } {
    const ordered = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    const events = ordered.filter((event) => (event.sequence ?? 0) > sequence);
    return { missed: Math.max(0, this.#lastGone - sequence), events };
  }
}
