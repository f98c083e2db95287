/** Records of numbers, a million of them outside of the garbage collector's heap. */
const CHUNK_SLOTS = 1024;
const CHUNK_SHIFT = 10;

/** Slots of `width` numbers each. They are found by their index, and keep it until they are given back. */
export class Slab<A extends Float64Array | Uint32Array> {
  private readonly chunks: A[] = [];
  private readonly returned: number[] = [];
  private made = 0;

  constructor(
    readonly width: number,
    private readonly makeChunk: (length: number) => A,
  ) {}

  /** Slots in use. */
  get size(): number {
    return this.made - this.returned.length;
  }

  /** A slot with whatever numbers were in it before. */
  take(): number {
    const slot = this.returned.pop();
    if (slot !== undefined) return slot;
    if (this.made >> CHUNK_SHIFT === this.chunks.length) this.chunks.push(this.makeChunk(CHUNK_SLOTS * this.width));
    return this.made++;
  }

  giveBack(slot: number): void {
    this.returned.push(slot);
  }

  /** Where the slot's numbers are: in this array from {@link offsetOf} on. */
  chunkOf(slot: number): A {
    return this.chunks[slot >> CHUNK_SHIFT] as A;
  }

  offsetOf(slot: number): number {
    return (slot & (CHUNK_SLOTS - 1)) * this.width;
  }
}
