/** Containers for a million entries: they never stop the program to move all of them at once. */

const SHARDS = 256;

/**
 * A map in many small ones. One large Map doubles with a pause of tenths of a second for a million entries; each of these
 * doubles by itself.
 */
export class ShardedMap<K extends number | string, V> {
  private readonly shards: readonly Map<K, V>[] = Array.from({ length: SHARDS }, () => new Map<K, V>());
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(key: K): V | undefined {
    return this.shard(key).get(key);
  }

  has(key: K): boolean {
    return this.shard(key).has(key);
  }

  set(key: K, value: V): void {
    const shard = this.shard(key);
    const before = shard.size;
    shard.set(key, value);
    this.count += shard.size - before;
  }

  delete(key: K): boolean {
    const deleted = this.shard(key).delete(key);
    if (deleted) this.count--;
    return deleted;
  }

  *values(): IterableIterator<V> {
    for (const shard of this.shards) yield* shard.values();
  }

  private shard(key: K): Map<K, V> {
    return this.shards[shardOf(key)] as Map<K, V>;
  }
}

/** Numbers count up, and the characters of ids vary most before the last: both spread evenly. */
function shardOf(key: number | string): number {
  if (typeof key === 'number') return key % SHARDS;
  const end = key.length;
  return (key.charCodeAt(end - 2) * 31 + key.charCodeAt(end - 3) * 7 + key.charCodeAt(end - 5)) % SHARDS;
}

/** First in, first out, without moving the rest each time. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  peek(): T | undefined {
    return this.items[this.head];
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    if (this.head < this.items.length) this.items[this.head++] = undefined;
    // Moved when half of it is empty: on average each item is moved once.
    if (this.head >= 1024 && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    } else if (this.head === this.items.length) {
      this.items.length = 0;
      this.head = 0;
    }
    return item;
  }
}
