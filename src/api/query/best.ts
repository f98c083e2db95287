import type { Comparator, Key } from './order.js';

/**
 * The first `limit` of everything offered, by a bounded heap with the last of the kept at its root: a scan of a million
 * rows for a page of fifty costs a comparison per row and sorts fifty.
 */
export class Best<T> {
  readonly #entries: { key: Key; id: string; row: T }[] = [];

  constructor(
    private readonly limit: number,
    private readonly compare: Comparator,
  ) {}

  offer(key: Key, id: string, row: T): void {
    const entries = this.#entries;
    if (entries.length < this.limit) {
      entries.push({ key, id, row });
      this.#siftUp(entries.length - 1);
      return;
    }
    const root = entries[0];
    if (root === undefined || this.compare(key, id, root.key, root.id) >= 0) return;
    root.key = key;
    root.id = id;
    root.row = row;
    this.#siftDown(0);
  }

  sorted(): readonly { readonly key: Key; readonly id: string; readonly row: T }[] {
    return this.#entries.sort((a, b) => this.compare(a.key, a.id, b.key, b.id));
  }

  /** Whether the entry at `a` comes after the one at `b`. */
  #isAfter(a: number, b: number): boolean {
    const x = this.#entries[a];
    const y = this.#entries[b];
    return x !== undefined && y !== undefined && this.compare(x.key, x.id, y.key, y.id) > 0;
  }

  #swap(a: number, b: number): void {
    const entries = this.#entries;
    const x = entries[a];
    const y = entries[b];
    if (x === undefined || y === undefined) return;
    entries[a] = y;
    entries[b] = x;
  }

  #siftUp(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isAfter(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(start: number): void {
    let at = start;
    for (;;) {
      const left = 2 * at + 1;
      let last = at;
      if (this.#isAfter(left, last)) last = left;
      if (this.#isAfter(left + 1, last)) last = left + 1;
      if (last === at) return;
      this.#swap(at, last);
      at = last;
    }
  }
}
