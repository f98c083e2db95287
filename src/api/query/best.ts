import type { Comparator, Key } from './order.js';

export interface Entry<T> {
  readonly key: Key;
  readonly id: string;
  readonly row: T;
}

/** Candidates gathered between two sortings. */
const SLACK = 2048;

/**
 * The first `limit` of everything offered, in bounded memory. Candidates are gathered and now and then sorted and cut; from
 * then on whatever comes after the last one kept is turned away by one comparison. Rows mostly come in the order of their
 * start, which sorts in a single pass where a heap would move each row through all its levels.
 */
export class Best<T> {
  #entries: Entry<T>[] = [];
  #last: Entry<T> | undefined;

  constructor(
    private readonly limit: number,
    private readonly compare: Comparator,
  ) {}

  offer(key: Key, id: string, row: T): void {
    const last = this.#last;
    if (last !== undefined && this.compare(key, id, last.key, last.id) >= 0) return;
    this.#entries.push({ key, id, row });
    if (this.#entries.length >= this.limit + SLACK) this.#cut();
  }

  sorted(): readonly Entry<T>[] {
    this.#cut();
    return this.#entries;
  }

  #cut(): void {
    this.#entries.sort((a, b) => this.compare(a.key, a.id, b.key, b.id));
    if (this.#entries.length < this.limit) return;
    this.#entries = this.#entries.slice(0, this.limit);
    this.#last = this.#entries.at(-1);
  }
}
