/**
 * An index over objects that hold their key themselves, for a million of them: a quarter of the memory of a Map, and it
 * never stops the program to move all entries at once.
 *
 * Open addressing with linear probing, in many small tables that grow one at a time. The hash of each entry is kept
 * beside it, so that looking for one does not touch the others.
 */
const SHARDS = 256;
const FIRST_CAPACITY = 8;
const GROWTH = 1.5;
const MAX_LOAD = 0.8;

export abstract class HashIndex<K, T extends object> {
  private readonly shards: readonly Shard<T>[] = Array.from({ length: SHARDS }, () => new Shard<T>());
  private count = 0;

  protected abstract keyOf(item: T): K;
  /** Whether an item has a key: for keys that are equal without being the same. */
  protected matches(item: T, key: K): boolean {
    return this.keyOf(item) === key;
  }
  /** 32 bits, all of which depend on all of the key. */
  protected abstract hashOf(key: K): number;

  get size(): number {
    return this.count;
  }

  get(key: K): T | undefined {
    const hash = this.hashOf(key);
    const shard = this.shards[hash & (SHARDS - 1)] as Shard<T>;
    for (let at = shard.home(hash); ; at = shard.next(at)) {
      const item = shard.items[at];
      if (item === undefined || (shard.hashes[at] === hash && this.matches(item, key))) return item;
    }
  }

  /** Adds an item, in the place of the one with its key. */
  set(item: T): void {
    const key = this.keyOf(item);
    const hash = this.hashOf(key);
    const shard = this.shards[hash & (SHARDS - 1)] as Shard<T>;
    let at = shard.home(hash);
    for (let found = shard.items[at]; found !== undefined; found = shard.items[at]) {
      if (shard.hashes[at] === hash && this.matches(found, key)) {
        shard.items[at] = item;
        return;
      }
      at = shard.next(at);
    }
    shard.insert(at, item, hash);
    this.count++;
  }

  delete(key: K): boolean {
    const hash = this.hashOf(key);
    const shard = this.shards[hash & (SHARDS - 1)] as Shard<T>;
    for (let at = shard.home(hash); ; at = shard.next(at)) {
      const item = shard.items[at];
      if (item === undefined) return false;
      if (shard.hashes[at] !== hash || !this.matches(item, key)) continue;
      shard.remove(at);
      this.count--;
      return true;
    }
  }

  /** All items, in no order. One that is added or removed meanwhile may be left out or come twice. */
  *values(): IterableIterator<T> {
    for (const shard of this.shards) {
      for (const item of shard.items) if (item !== undefined) yield item;
    }
  }
}

class Shard<T extends object> {
  items: (T | undefined)[] = new Array<T | undefined>(FIRST_CAPACITY).fill(undefined);
  hashes = new Int32Array(FIRST_CAPACITY);
  private count = 0;

  /** Where a hash belongs: its high bits scaled to the capacity, since the low ones have chosen the shard. */
  home(hash: number): number {
    return Math.floor(((hash >>> 0) * this.items.length) / 0x1_0000_0000);
  }

  next(at: number): number {
    return at + 1 === this.items.length ? 0 : at + 1;
  }

  insert(at: number, item: T, hash: number): void {
    this.items[at] = item;
    this.hashes[at] = hash;
    if (++this.count > this.items.length * MAX_LOAD) this.resize(Math.ceil(this.items.length * GROWTH));
  }

  /** Moves up those behind the gap that would not be found across it. */
  remove(at: number): void {
    let gap = at;
    this.items[gap] = undefined;
    this.count--;
    for (let probe = this.next(gap); ; probe = this.next(probe)) {
      const item = this.items[probe];
      if (item === undefined) break;
      const hash = this.hashes[probe] as number;
      if (isBetween(gap, this.home(hash), probe)) continue;
      this.items[gap] = item;
      this.hashes[gap] = hash;
      this.items[probe] = undefined;
      gap = probe;
    }
    if (this.items.length > FIRST_CAPACITY && this.count < this.items.length / 4) {
      this.resize(Math.max(FIRST_CAPACITY, Math.ceil(this.items.length / 2)));
    }
  }

  private resize(capacity: number): void {
    const { items, hashes } = this;
    this.items = new Array<T | undefined>(capacity).fill(undefined);
    this.hashes = new Int32Array(capacity);
    items.forEach((item, index) => {
      if (item === undefined) return;
      const hash = hashes[index] as number;
      let at = this.home(hash);
      while (this.items[at] !== undefined) at = this.next(at);
      this.items[at] = item;
      this.hashes[at] = hash;
    });
  }
}

/** Whether `home` lies behind `gap` on the way round to `probe`. */
function isBetween(gap: number, home: number, probe: number): boolean {
  return gap <= probe ? gap < home && home <= probe : gap < home || home <= probe;
}

/** Spreads a number over 32 bits (the finalizer of MurmurHash3). */
export function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** 31 bits, so that the engine keeps it as a small integer. */
export function hashTuple(
  protocolNumber: number,
  localPort: number | null,
  remotePort: number | null,
  remote: string,
): number {
  let hash = Math.imul(((localPort ?? 0) << 16) ^ (remotePort ?? 0) ^ (protocolNumber << 8), 0x9e3779b1);
  for (let i = 0; i < remote.length; i++) hash = Math.imul(hash ^ remote.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}
