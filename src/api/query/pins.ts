import { randomBytes } from 'node:crypto';
import type { Key } from './order.js';

/** The ids and keys of all rows of a list as they were when its first page was read. */
export interface PinnedList {
  readonly ids: readonly string[];
  readonly keys: readonly Key[];
}

const MAX_LISTS = 256;
/** Ids and keys of all pinned lists together: about 16 bytes each. */
const MAX_ROWS = 2_000_000;
const KEPT_MS = 10 * 60_000;

/**
 * Orders that must not move while somebody pages through them. Only ids and keys are kept, never rows; bounded in number,
 * rows and time, the longest unused go first. The newest is always kept.
 */
export class Pins {
  readonly #lists = new Map<string, { list: PinnedList; usedMs: number }>();
  #rows = 0;

  constructor(private readonly clockMs: () => number = () => performance.now()) {}

  get size(): number {
    return this.#lists.size;
  }

  add(list: PinnedList): string {
    const id = randomBytes(9).toString('base64url');
    this.#lists.set(id, { list, usedMs: this.clockMs() });
    this.#rows += list.ids.length;
    this.#evict(id);
    return id;
  }

  get(id: string): PinnedList | undefined {
    const found = this.#lists.get(id);
    if (found === undefined) return undefined;
    if (this.clockMs() - found.usedMs > KEPT_MS) {
      this.#remove(id);
      return undefined;
    }
    // Deleted and set again, the map keeps its entries in the order of their last use.
    found.usedMs = this.clockMs();
    this.#lists.delete(id);
    this.#lists.set(id, found);
    return found.list;
  }

  #evict(newest: string): void {
    const oldestMs = this.clockMs() - KEPT_MS;
    for (const [id, { usedMs }] of this.#lists) {
      if (id === newest) return;
      if (usedMs >= oldestMs && this.#lists.size <= MAX_LISTS && this.#rows <= MAX_ROWS) return;
      this.#remove(id);
    }
  }

  #remove(id: string): void {
    this.#rows -= this.#lists.get(id)?.list.ids.length ?? 0;
    this.#lists.delete(id);
  }
}
