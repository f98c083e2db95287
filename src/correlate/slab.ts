/** Records of numbers, a million of them outside of the garbage collector's heap. */
const CHUNK_SLOTS = 1024;
const CHUNK_SHIFT = 10;

/** Slots of `width` numbers each. They are found by their index, and keep it until they are given back. */
export class Slab<A extends Float64Array | Uint32Array> {
  private readonly chunks: A[] = [];
  /** The slot that was given back last, plus one; its first number is the one before. 0 when there is none. */
  private returned = 0;
  private made = 0;
  private count = 0;

  constructor(
    readonly width: number,
    private readonly makeChunk: (length: number) => A,
  ) {}

  /** Slots in use. */
  get size(): number {
    return this.count;
  }

  /** A slot with whatever numbers were in it before. */
  take(): number {
    this.count++;
    if (this.returned !== 0) {
      const slot = this.returned - 1;
      this.returned = this.chunkOf(slot)[this.offsetOf(slot)] as number;
      return slot;
    }
    if (this.made >> CHUNK_SHIFT === this.chunks.length) this.chunks.push(this.makeChunk(CHUNK_SLOTS * this.width));
    return this.made++;
  }

  giveBack(slot: number): void {
    this.count--;
    this.chunkOf(slot)[this.offsetOf(slot)] = this.returned;
    this.returned = slot + 1;
  }

  /** Where the slot's numbers are: in this array from {@link offsetOf} on. */
  chunkOf(slot: number): A {
    return this.chunks[slot >> CHUNK_SHIFT] as A;
  }

  offsetOf(slot: number): number {
    return (slot & (CHUNK_SLOTS - 1)) * this.width;
  }
}
