/** Which slots are known from their beginning to their end. What lies between two looks that are far apart is not. */

/** Looks further apart than so many times the usual distance leave a gap. */
const TOLERANCE = 2.5;
/** So many distances tell what is usual. */
const REMEMBERED = 3;

export class Coverage {
  private readonly known: Uint8Array;
  private readonly distances: number[] = [];
  private lastMicros: number | null = null;
  private nextSlot = 0;

  constructor(
    private readonly capacity: number,
    /** As far apart as looks are meant to be, or a step if that is longer. */
    private readonly distanceMicros: number,
    private readonly slotOf: (micros: number) => number,
  ) {
    this.known = new Uint8Array(capacity);
  }

  /** Everything up to `micros` was seen, since the look before if that was not long ago. */
  look(micros: number): void {
    const last = this.lastMicros;
    if (last !== null && micros <= last) return;
    const isGap = last === null || micros - last > TOLERANCE * Math.max(this.distanceMicros, this.usual());
    if (last !== null) {
      this.distances.push(micros - last);
      if (this.distances.length > REMEMBERED) this.distances.shift();
    }
    const slot = this.slotOf(micros);
    // The first slot that begins no earlier than the look.
    if (isGap) this.nextSlot = this.slotOf(micros - 1) + 1;
    this.nextSlot = Math.max(this.nextSlot, slot - this.capacity);
    for (; this.nextSlot < slot; this.nextSlot++) this.known[this.nextSlot % this.capacity] = 1;
    this.lastMicros = micros;
  }

  /** Whether a gap lies between two times that follow each other. */
  isGap(fromMicros: number, toMicros: number): boolean {
    return toMicros - fromMicros > TOLERANCE * Math.max(this.distanceMicros, this.usual());
  }

  has(slot: number): boolean {
    return slot < this.nextSlot && this.known[slot % this.capacity] === 1;
  }

  /** The first slot that is not complete yet. */
  get end(): number {
    return this.nextSlot;
  }

  /** Slots from `from` on begin anew. */
  clear(from: number, count: number): void {
    for (let slot = from; slot < from + count; slot++) this.known[slot % this.capacity] = 0;
  }

  private usual(): number {
    return this.distances.length < REMEMBERED ? 0 : Math.min(...this.distances);
  }
}
