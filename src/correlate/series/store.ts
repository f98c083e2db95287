/**
 * Rolling series in bounded memory: for each track and column the amount of each slot, aligned to Unix time.
 *
 * A slot is one step. Slots are kept in chunks of a page, in a ring that is a little longer than the retention. A column in
 * which nothing happened for a chunk takes no page, so that a sleeping process costs next to nothing.
 */
import { Arena, PAGE_BYTES, PAGE_SLOTS } from './arena.js';
import { COLUMNS, COUNTERS, LEVELS } from './columns.js';
import { Coverage } from './coverage.js';
import { Track, TRACK_BYTES } from './track.js';

export interface SeriesLimits {
  readonly retentionMs: number;
  readonly stepMs: number;
  /** How often processes are sampled, at least; a step when left out. */
  readonly sampleIntervalMs?: number;
  readonly maxBytes: number;
}

export class SeriesStore {
  readonly stepMicros: number;
  /** Slots that are kept. */
  readonly kept: number;
  /** What the samples of processes have seen, and what the counters of flows have. */
  readonly sampled: Coverage;
  readonly moved: Coverage;
  private readonly arena = new Arena();
  private readonly tracks = new Set<Track>();
  /** Tracks of processes that have exited, oldest first: the first to go when memory is short. */
  private readonly exited = new Set<Track>();
  private readonly chunks: number;
  private readonly maxBytes: number;
  /** Slot 0, in steps of Unix time. */
  private origin: number | null = null;
  private currentChunk = 0;
  /** Chunks before this one were evicted from the tracks of processes. */
  private processFloor = 0;
  private evictedPoints = 0;

  constructor(limits: SeriesLimits) {
    this.stepMicros = limits.stepMs * 1000;
    this.kept = Math.ceil(limits.retentionMs / limits.stepMs);
    this.maxBytes = limits.maxBytes;
    this.chunks = Math.ceil(this.kept / PAGE_SLOTS) + 1;
    const capacity = this.chunks * PAGE_SLOTS;
    const slotOf = (micros: number): number => this.slotOf(micros);
    const sampleMicros = Math.max(this.stepMicros, (limits.sampleIntervalMs ?? 0) * 1000);
    this.sampled = new Coverage(capacity, sampleMicros, slotOf);
    this.moved = new Coverage(capacity, this.stepMicros, slotOf);
  }

  /** The slot of a time. Slots count from the first time that was asked for. */
  slotOf(micros: number): number {
    const step = Math.floor(micros / this.stepMicros);
    this.origin ??= step;
    return step - this.origin;
  }

  /** When a slot begins. */
  microsOf(slot: number): number {
    return (slot + (this.origin ?? 0)) * this.stepMicros;
  }

  /** Points that were given up for want of memory. */
  get evicted(): number {
    return this.evictedPoints;
  }

  get bytes(): number {
    return this.arena.size * PAGE_BYTES + this.tracks.size * TRACK_BYTES;
  }

  get processTracks(): number {
    let count = 0;
    for (const track of this.tracks) if (track.isProcess) count++;
    return count;
  }

  /** Makes room for the slots up to this one; the oldest go. */
  reach(slot: number): void {
    const chunk = chunkOf(slot);
    const first = Math.max(this.currentChunk + 1, chunk - this.chunks + 1);
    for (let next = first; next <= chunk; next++) this.beginChunk(next);
  }

  /** The first slot that memory may still hold. */
  get oldestSlot(): number {
    return Math.max(0, (this.currentChunk - this.chunks + 1) * PAGE_SLOTS);
  }

  add(first: number, isProcess: boolean): Track {
    const track = new Track(first, isProcess, this.chunks);
    this.tracks.add(track);
    return track;
  }

  /** Nothing more comes after this slot. */
  end(track: Track, slot: number): void {
    track.last = slot;
    this.exited.add(track);
  }

  remove(track: Track): void {
    this.tracks.delete(track);
    this.exited.delete(track);
    this.freeAll(track);
  }

  /** Adds to what a counter was in a slot. */
  count(track: Track, counter: number, slot: number, amount: number): void {
    const page = this.pageFor(track, counter, slot);
    if (page >= 0) this.arena.set(page, slot, this.arena.get(page, slot) + amount);
  }

  /** Sets what a level is from this slot on. */
  level(track: Track, level: number, slot: number, value: number): void {
    const before = track.levels[level] as number;
    track.levels[level] = value;
    const chunk = chunkOf(slot);
    if (track.pageOf(chunk, COUNTERS + level) < 0) {
      const base = track.baseOf(chunk, level);
      if (Object.is(base, value)) return;
      // Nothing was known of it before: no page is needed to say so.
      if (Number.isNaN(before)) {
        track.setBase(chunk, level, value);
        return;
      }
    }
    const page = this.pageFor(track, COUNTERS + level, slot);
    if (page >= 0) this.arena.set(page, slot, value);
  }

  /** A counter's amount in a slot, or a level; the caller knows whether the slot is covered, and the track was there. */
  read(track: Track, column: number, slot: number): number {
    const page = track.pageOf(chunkOf(slot), column);
    if (page >= 0) return this.arena.get(page, slot);
    return valueWithoutPage(track, column, slot);
  }

  /** Whether a slot of the track is still in memory. */
  holds(track: Track, slot: number): boolean {
    if (slot < track.first || slot > track.last || slot < this.oldestSlot) return false;
    return !track.isProcess || slot >= this.processFloor * PAGE_SLOTS;
  }

  /** The page to write to; -1 when the slot is gone, or memory is. */
  private pageFor(track: Track, column: number, slot: number): number {
    const chunk = chunkOf(slot);
    if (slot < this.oldestSlot || slot < track.first || chunk > this.currentChunk) return -1;
    const known = track.pageOf(chunk, column);
    if (known >= 0) return known;
    if (track.isProcess && chunk < this.processFloor) return -1;
    if (!this.makeRoom()) {
      this.evictedPoints++;
      return -1;
    }
    const page = this.arena.take(valueWithoutPage(track, column, slot));
    track.setPage(chunk, column, page);
    return page;
  }

  private beginChunk(chunk: number): void {
    this.currentChunk = chunk;
    this.sampled.clear(chunk * PAGE_SLOTS, PAGE_SLOTS);
    this.moved.clear(chunk * PAGE_SLOTS, PAGE_SLOTS);
    for (const track of this.tracks) {
      this.freeChunk(track, chunk);
      for (let level = 0; level < LEVELS; level++) track.setBase(chunk, level, track.levels[level] as number);
    }
  }

  /** Frees what the ring has in the place of a chunk. */
  private freeChunk(track: Track, chunk: number): number {
    if (track.pages === null) return 0;
    let freed = 0;
    for (let column = 0; column < COLUMNS; column++) {
      const page = track.pageOf(chunk, column);
      if (page < 0) continue;
      this.arena.giveBack(page);
      track.setPage(chunk, column, -1);
      freed++;
    }
    return freed;
  }

  private freeAll(track: Track): number {
    let freed = 0;
    for (let chunk = 0; chunk < this.chunks; chunk++) freed += this.freeChunk(track, chunk);
    return freed;
  }

  /** Frees memory if there is none left: exited processes first, then what is oldest of the others. */
  private makeRoom(): boolean {
    while (this.bytes + PAGE_BYTES > this.maxBytes) {
      if (!this.evict()) return false;
    }
    return true;
  }

  private evict(): boolean {
    for (const track of this.exited) {
      this.evictedPoints += this.freeAll(track) * PAGE_SLOTS;
      this.exited.delete(track);
      this.tracks.delete(track);
      track.first = Infinity;
      return true;
    }
    const oldest = Math.max(this.processFloor, this.currentChunk - this.chunks + 1);
    for (let chunk = oldest; chunk < this.currentChunk; chunk++) {
      this.processFloor = chunk + 1;
      let freed = 0;
      for (const track of this.tracks) if (track.isProcess) freed += this.freeChunk(track, chunk);
      this.evictedPoints += freed * PAGE_SLOTS;
      if (freed > 0) return true;
    }
    return false;
  }
}

function chunkOf(slot: number): number {
  return Math.floor(slot / PAGE_SLOTS);
}

/** Nothing happened, or nothing changed. */
function valueWithoutPage(track: Track, column: number, slot: number): number {
  return column < COUNTERS ? 0 : track.baseOf(chunkOf(slot), column - COUNTERS);
}
