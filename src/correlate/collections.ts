/** Containers that make no garbage. */
import { mixed } from './hash-index.js';

const FIRST_CAPACITY = 1024;

/** Numbers other than 0: open addressing in one typed array, which is left half empty. */
export class NumberSet {
  private places: Float64Array;
  private count = 0;

  /** @param expected so many find room without moving */
  constructor(expected = 0) {
    let capacity = FIRST_CAPACITY;
    while (capacity < expected * 2) capacity *= 2;
    this.places = new Float64Array(capacity);
  }

  get size(): number {
    return this.count;
  }

  has(value: number): boolean {
    return this.places[this.placeOf(value)] === value;
  }

  add(value: number): void {
    const place = this.placeOf(value);
    if (this.places[place] === value) return;
    this.places[place] = value;
    if (++this.count * 2 > this.places.length) this.grow();
  }

  /** Where the value is, or would be. Numbers that count up lie side by side, as in a {@link HashIndex}. */
  private placeOf(value: number): number {
    const last = this.places.length - 1;
    let place = value & last;
    for (let found = this.places[place]; found !== 0 && found !== value; found = this.places[place]) {
      place = (place + (mixed(value) | 1)) & last;
    }
    return place;
  }

  private grow(): void {
    const { places } = this;
    this.places = new Float64Array(places.length * 2);
    for (const value of places) if (value !== 0) this.places[this.placeOf(value)] = value;
  }
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
