/**
 * An index over objects that hold their key themselves, for a million of them: a third of the memory of a Map, and it
 * never stops the program to move all entries at once.
 *
 * Open addressing. An entry's first place is its hash itself, so that what is numbered in the order in which it comes, and
 * mostly goes, lies side by side, where a Map would scatter it over memory; whoever finds that place taken goes on from
 * there by a step of its own. Blocks of hashes go to tables that grow one at a time.
 */
const BLOCK_BITS = 10;
const FIRST_CAPACITY = 8;
/** Tables for a million entries. */
export const MANY = 256;

export abstract class HashIndex<K, T extends object> {
  private readonly tables: readonly Table<T>[];
  private readonly tableBits: number;
  private count = 0;

  /** @param tables a power of two: one, unless there may be very many entries */
  constructor(tables: number) {
    this.tables = Array.from({ length: tables }, () => new Table<T>());
    this.tableBits = Math.log2(tables);
  }

  protected abstract keyOf(item: T): K;
  /** Whether an item has a key: for keys that are equal without being the same. */
  protected matches(item: T, key: K): boolean {
    return this.keyOf(item) === key;
  }
  /** 32 bits: a number that counts up as it is, and of any other key {@link mixed}. */
  protected abstract hashOf(key: K): number;

  get size(): number {
    return this.count;
  }

  get(key: K): T | undefined {
    const hash = this.hashOf(key);
    const table = this.tableOf(hash);
    return table.items[this.find(table, key, this.placed(hash))] ?? undefined;
  }

  /** Adds an item, in the place of the one with its key. */
  set(item: T): void {
    const key = this.keyOf(item);
    const hash = this.hashOf(key);
    const table = this.tableOf(hash);
    const known = this.find(table, key, this.placed(hash));
    if (table.items[known] !== undefined) {
      table.items[known] = item;
      return;
    }
    table.add(item, this.placed(hash));
    this.count++;
  }

  delete(key: K): boolean {
    const hash = this.hashOf(key);
    const table = this.tableOf(hash);
    const place = this.find(table, key, this.placed(hash));
    if (table.items[place] === undefined) return false;
    table.remove(place);
    this.count--;
    return true;
  }

  /** All items, in no order. One that is added or removed meanwhile may be left out or come twice. */
  *values(): IterableIterator<T> {
    for (const { items } of this.tables) {
      for (const item of items) if (item !== undefined && item !== null) yield item;
    }
  }

  private tableOf(hash: number): Table<T> {
    return this.tables[(hash >>> BLOCK_BITS) & (this.tables.length - 1)] as Table<T>;
  }

  /** The hash without the bits that have chosen the table. */
  private placed(hash: number): number {
    const block = (1 << BLOCK_BITS) - 1;
    return (hash & block) | ((hash >>> this.tableBits) & ~block);
  }

  /** Where the item with a key is in a table; where nothing is, when there is none. */
  private find({ items, hashes }: Table<T>, key: K, hash: number): number {
    const last = items.length - 1;
    let place = hash & last;
    for (let item = items[place]; item !== undefined; item = items[place]) {
      if (item !== null && hashes[place] === hash && this.matches(item, key)) break;
      place = (place + stepOf(hash)) & last;
    }
    return place;
  }
}

type Place<T> = T | null | undefined;

const NO_ITEMS: readonly undefined[] = [undefined];
const NO_HASHES = new Int32Array(1);

class Table<T extends object> {
  /** At least a quarter is undefined; null was left: whoever went on from there must still be found. */
  items = NO_ITEMS as Place<T>[];
  /** Of each item: looking for one, and moving all, does not touch the others. */
  hashes = NO_HASHES;
  /** Places that are not undefined. */
  private taken = 0;
  private count = 0;

  add(item: T, hash: number): void {
    this.count++;
    if ((this.taken + 1) * 4 > this.items.length * 3) this.resize();
    this.put(item, hash);
  }

  remove(place: number): void {
    this.items[place] = null;
    this.count--;
    if (this.count * 8 < this.items.length && this.items.length > FIRST_CAPACITY) this.resize();
  }

  private put(item: T, hash: number): void {
    const { items } = this;
    const last = items.length - 1;
    let place = hash & last;
    for (let found = items[place]; found !== undefined && found !== null; found = items[place]) {
      place = (place + stepOf(hash)) & last;
    }
    if (items[place] === undefined) this.taken++;
    items[place] = item;
    this.hashes[place] = hash;
  }

  /** Moves all to places of which they take half at most. */
  private resize(): void {
    const { items, hashes } = this;
    let capacity = FIRST_CAPACITY;
    while (capacity < this.count * 2) capacity *= 2;
    this.items = new Array<Place<T>>(capacity).fill(undefined);
    this.hashes = new Int32Array(capacity);
    this.taken = 0;
    items.forEach((item, place) => {
      if (item !== undefined && item !== null) this.put(item, hashes[place] as number);
    });
  }
}

/** Odd, so that it leads to every place. */
function stepOf(hash: number): number {
  return mixed(hash) | 1;
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
