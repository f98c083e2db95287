/** Memory of all series: pages that hold one column of one track for {@link PAGE_SLOTS} slots. */
export const PAGE_SLOTS = 64;
export const PAGE_BYTES = PAGE_SLOTS * Float64Array.BYTES_PER_ELEMENT;
const SEGMENT_PAGES = 128;

export class Arena {
  private readonly segments: Float64Array[] = [];
  private readonly returned: number[] = [];
  private made = 0;

  /** Pages in use. */
  get size(): number {
    return this.made - this.returned.length;
  }

  /** A page with one value everywhere. */
  take(value: number): number {
    const page = this.returned.pop() ?? this.made++;
    if (page >= this.segments.length * SEGMENT_PAGES) this.segments.push(new Float64Array(SEGMENT_PAGES * PAGE_SLOTS));
    const at = placeOf(page, 0);
    this.segmentOf(page).fill(value, at, at + PAGE_SLOTS);
    return page;
  }

  giveBack(page: number): void {
    this.returned.push(page);
  }

  get(page: number, slot: number): number {
    return this.segmentOf(page)[placeOf(page, slot)] as number;
  }

  set(page: number, slot: number, value: number): void {
    this.segmentOf(page)[placeOf(page, slot)] = value;
  }

  private segmentOf(page: number): Float64Array {
    return this.segments[Math.floor(page / SEGMENT_PAGES)] as Float64Array;
  }
}

function placeOf(page: number, slot: number): number {
  return (page % SEGMENT_PAGES) * PAGE_SLOTS + (slot % PAGE_SLOTS);
}
