import type { EventKind, StreamEvent } from './group.js';

/** Events kept for those that resume. Each may keep an ended flow from being collected, so not many. */
const CAPACITY = 16_384;

/** Numbers events from 1 on and keeps the last of them, in a ring that makes no garbage. */
export class Recent<T> {
  readonly #kinds: EventKind[] = [];
  readonly #rows: T[] = [];
  #newest = 0;

  /** @returns the number of the event */
  add(kind: EventKind, row: T): number {
    const place = this.#newest % CAPACITY;
    this.#kinds[place] = kind;
    this.#rows[place] = row;
    return ++this.#newest;
  }

  /** What came after an event, oldest first, and how many in between are gone (of all kinds, before any filter). */
  after(sequence: number): { readonly missed: number; readonly events: StreamEvent<T>[] } {
    const oldest = Math.max(1, this.#newest - CAPACITY + 1);
    const events: StreamEvent<T>[] = [];
    for (let next = Math.max(oldest, sequence + 1); next <= this.#newest; next++) {
      const place = (next - 1) % CAPACITY;
      events.push({ kind: this.#kinds[place] as EventKind, row: this.#rows[place] as T, sequence: next });
    }
    return { missed: Math.max(0, oldest - 1 - sequence), events };
  }
}
