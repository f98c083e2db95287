/**
 * Windows of usage: from when a process began to use a socket until it ended to.
 *
 * A million flows have a window each, so an open one is twelve words: its first reading as the difference to an epoch, an
 * earlier reading of the same process that many windows share. What was spent in a closed window is kept at full width;
 * closed ones are only as many as there are ended flows that are remembered.
 */
import type { Batch } from '../capture/batch.js';
import { USAGE_FLAG } from '../capture/layout.js';
import type { BootClock } from './clock.js';
import type { Meter } from './meter.js';
import { Slab } from './slab.js';
import { knownOrNull, spent, Usage, type Reading } from './usage.js';

/** Of a share: no window was opened. Open windows are their slot's index, closed ones lie below {@link NO_END}. */
export const NO_WINDOW = -1;
/** Of a share: its window was opened, and no reading came after that. */
export const NO_END = -2;

export function isOpen(window: number): boolean {
  return window >= 0;
}

export function isClosed(window: number): boolean {
  return window < NO_END;
}

/** A slot's index as a closed window, and back. */
function closedWindow(slot: number): number {
  return NO_END - 1 - slot;
}

/** Counters of a reading, in the order in which they are kept. */
const COUNTERS = 9;
const OPEN = { timeLow: 0, timeHigh: 1, epoch: 2, counters: 3 } as const;
const CLOSED = { from: 0, to: 1, memory: 2, peak: 3, flags: 4, counters: 5 } as const;
/** In a closed window's flags: it was cut at the last reading there was. */
const CUT = 1;
const WORD = 0x1_0000_0000;
/** The epoch of young processes: all zero. */
const ZERO = 0;
const EPOCH_REFERENCES = COUNTERS;

export class Windows {
  private readonly opened = new Slab(OPEN.counters + COUNTERS, (length) => new Uint32Array(length));
  private readonly closed = new Slab(CLOSED.counters + COUNTERS, (length) => new Float64Array(length));
  private readonly epochs = new Slab(EPOCH_REFERENCES + 1, (length) => new Float64Array(length));
  private readonly counters = new Float64Array(COUNTERS);

  constructor(private readonly clock: BootClock) {
    this.epochs.take();
  }

  /** Opens a window with its first reading. */
  open(meter: Meter, first: Reading): number {
    this.unpack(first);
    return this.openWith(meter, first.timeNs);
  }

  /** The same with a row of the usage table: what nearly all windows begin with, without a detour. */
  openRow(meter: Meter, batch: Batch, row: number): number {
    this.unpackRow(batch, row);
    return this.openWith(meter, batch.usage.timeNs[row] as number);
  }

  private openWith(meter: Meter, timeNs: number): number {
    const ioWaitKnown = !Number.isNaN(this.counters[IO_WAIT]);
    const epoch = this.epochFor(meter);
    this.refer(epoch, 1);
    const slot = this.opened.take();
    const words = this.opened.chunkOf(slot);
    let at = this.opened.offsetOf(slot);
    const high = Math.floor(timeNs / WORD);
    words[at + OPEN.timeLow] = timeNs - high * WORD;
    words[at + OPEN.timeHigh] = high;
    words[at + OPEN.epoch] = epoch * 2 + (ioWaitKnown ? 1 : 0);
    at += OPEN.counters;
    const base = this.epochs.chunkOf(epoch);
    const baseAt = this.epochs.offsetOf(epoch);
    for (let i = 0; i < COUNTERS; i++) words[at + i] = (this.counters[i] as number) - (base[baseAt + i] as number);
    return slot;
  }

  /** When an open window began, in ns since boot. */
  openedNs(window: number): number {
    const words = this.opened.chunkOf(window);
    const at = this.opened.offsetOf(window);
    return (words[at + OPEN.timeHigh] as number) * WORD + (words[at + OPEN.timeLow] as number);
  }

  /** Closes an open window with its last reading. `cut`: it goes on, and no later reading is to be had. */
  close(window: number, last: Reading, peakMemoryBytes: number, cut: boolean): number {
    const slot = this.closed.take();
    this.unpack(last);
    this.fill(slot, window, last.micros, last.memoryBytes, peakMemoryBytes, cut);
    this.drop(window);
    return closedWindow(slot);
  }

  /** Closes an open window with a row of the usage table, whose peak is that of the window. */
  closeRow(window: number, batch: Batch, row: number): number {
    const { usage } = batch;
    const flags = usage.flags[row] as number;
    const memory = (flags & USAGE_FLAG.memory) === 0 ? NaN : (usage.memoryBytes[row] as number);
    const peak = (flags & USAGE_FLAG.peak) === 0 ? NaN : (usage.peakMemoryBytes[row] as number);
    const slot = this.closed.take();
    this.unpackRow(batch, row);
    this.fill(slot, window, this.clock.micros(usage.timeNs[row] as number), memory, peak, false);
    this.drop(window);
    return closedWindow(slot);
  }

  /** What would be there if an open window were closed now; written over when it was asked before. */
  soFar(before: number, window: number, last: Reading, peakMemoryBytes: number): number {
    const slot = isClosed(before) ? closedWindow(before) : this.closed.take();
    this.unpack(last);
    this.fill(slot, window, last.micros, last.memoryBytes, peakMemoryBytes, false);
    return closedWindow(slot);
  }

  /** The closed window of all of a process's life. */
  whole(startMicros: number, last: Reading): number {
    const slot = this.closed.take();
    const numbers = this.closed.chunkOf(slot);
    const at = this.closed.offsetOf(slot);
    numbers[at + CLOSED.from] = startMicros;
    putEnd(numbers, at, last.micros, last.memoryBytes, last.peakMemoryBytes, false);
    this.unpack(last);
    for (let i = 0; i < COUNTERS; i++) numbers[at + CLOSED.counters + i] = this.counters[i] as number;
    return closedWindow(slot);
  }

  /** Gives a window's memory back, open or closed. */
  drop(window: number): void {
    if (isOpen(window)) {
      const at = this.opened.offsetOf(window);
      this.refer((this.opened.chunkOf(window)[at + OPEN.epoch] as number) >>> 1, -1);
      this.opened.giveBack(window);
    } else if (isClosed(window)) this.closed.giveBack(closedWindow(window));
  }

  /** The process is forgotten; its windows have been dropped before, or will be. */
  forget(meter: Meter): void {
    this.refer(meter.epoch, -1);
    meter.epoch = ZERO;
  }

  /** What was spent in a closed window. */
  read(window: number): Usage {
    const slot = closedWindow(window);
    const numbers = this.closed.chunkOf(slot);
    const at = this.closed.offsetOf(slot);
    const usage = new Usage({ from: numbers[at + CLOSED.from] as number, to: numbers[at + CLOSED.to] as number });
    usage.memoryBytes = knownOrNull(numbers[at + CLOSED.memory] as number);
    usage.peakMemoryBytes = knownOrNull(numbers[at + CLOSED.peak] as number);
    const amount = (counter: number): number => numbers[at + CLOSED.counters + counter] as number;
    const cpuNs = amount(0);
    const userNs = Math.min(amount(1), cpuNs);
    usage.cpuTimeMs = cpuNs / 1e6;
    usage.userMs = userNs / 1e6;
    usage.systemMs = (cpuNs - userNs) / 1e6;
    usage.minorFaults = amount(2);
    usage.majorFaults = amount(3);
    usage.ioWaitMs = knownOrNull(amount(4) / 1e6);
    usage.readBytes = knownOrNull(amount(5));
    usage.writtenBytes = knownOrNull(amount(6));
    usage.voluntarySwitches = knownOrNull(amount(7));
    usage.involuntarySwitches = knownOrNull(amount(8));
    return usage;
  }

  /** Whether a closed window ends before its process has ended to use the socket. */
  isCut(window: number): boolean {
    const slot = closedWindow(window);
    return this.closed.chunkOf(slot)[this.closed.offsetOf(slot) + CLOSED.flags] === CUT;
  }

  get sizes(): { readonly openWindows: number; readonly closedWindows: number; readonly epochs: number } {
    // The zero epoch is always there.
    return { openWindows: this.opened.size, closedWindows: this.closed.size, epochs: this.epochs.size - 1 };
  }

  /** Puts into a slot what was spent from the window's first reading to the unpacked one. */
  private fill(
    slot: number,
    window: number,
    toMicros: number,
    memoryBytes: number,
    peakMemoryBytes: number,
    cut: boolean,
  ): void {
    const words = this.opened.chunkOf(window);
    const at = this.opened.offsetOf(window);
    const mark = words[at + OPEN.epoch] as number;
    const base = this.epochs.chunkOf(mark >>> 1);
    const baseAt = this.epochs.offsetOf(mark >>> 1);
    const numbers = this.closed.chunkOf(slot);
    const to = this.closed.offsetOf(slot);
    numbers[to + CLOSED.from] = this.clock.micros(this.openedNs(window));
    putEnd(numbers, to, toMicros, memoryBytes, peakMemoryBytes, cut);
    for (let i = 0; i < COUNTERS; i++) {
      const first = (words[at + OPEN.counters + i] as number) + (base[baseAt + i] as number);
      numbers[to + CLOSED.counters + i] = spent(first, this.counters[i] as number);
    }
    if ((mark & 1) === 0) numbers[to + CLOSED.counters + IO_WAIT] = NaN;
  }

  /** Puts the first reading of an open window into `reading`. */
  first(window: number, reading: Reading): Reading {
    const words = this.opened.chunkOf(window);
    const at = this.opened.offsetOf(window);
    const mark = words[at + OPEN.epoch] as number;
    const base = this.epochs.chunkOf(mark >>> 1);
    const baseAt = this.epochs.offsetOf(mark >>> 1);
    const counter = (i: number): number => (words[at + OPEN.counters + i] as number) + (base[baseAt + i] as number);
    reading.timeNs = this.openedNs(window);
    reading.cpuNs = counter(0);
    reading.userNs = counter(1);
    reading.minorFaults = counter(2);
    reading.majorFaults = counter(3);
    reading.ioWaitNs = (mark & 1) === 0 ? NaN : counter(IO_WAIT);
    reading.readBytes = counter(5);
    reading.writtenBytes = counter(6);
    reading.voluntarySwitches = counter(7);
    reading.involuntarySwitches = counter(8);
    return reading;
  }

  /** The counters of a reading in their order. */
  private unpack(reading: Reading): void {
    const { counters } = this;
    counters[0] = reading.cpuNs;
    counters[1] = reading.userNs;
    counters[2] = reading.minorFaults;
    counters[3] = reading.majorFaults;
    counters[IO_WAIT] = reading.ioWaitNs;
    counters[5] = reading.readBytes;
    counters[6] = reading.writtenBytes;
    counters[7] = reading.voluntarySwitches;
    counters[8] = reading.involuntarySwitches;
  }

  private unpackRow({ usage }: Batch, row: number): void {
    const { counters } = this;
    counters[0] = usage.cpuNs[row] as number;
    counters[1] = usage.userNs[row] as number;
    counters[2] = usage.minorFaults[row] as number;
    counters[3] = usage.majorFaults[row] as number;
    counters[IO_WAIT] =
      ((usage.flags[row] as number) & USAGE_FLAG.ioWait) === 0 ? NaN : (usage.ioWaitNs[row] as number);
    counters[5] = usage.readBytes[row] as number;
    counters[6] = usage.writtenBytes[row] as number;
    counters[7] = usage.voluntarySwitches[row] as number;
    counters[8] = usage.involuntarySwitches[row] as number;
  }

  /** The epoch from which the unpacked reading is not far: the process's, or a new one. */
  private epochFor(meter: Meter): number {
    if (Number.isNaN(this.counters[IO_WAIT])) this.counters[IO_WAIT] = 0;
    if (this.isNear(meter.epoch)) return meter.epoch;
    if (this.isNear(ZERO)) return ZERO;
    const epoch = this.epochs.take();
    const numbers = this.epochs.chunkOf(epoch);
    const at = this.epochs.offsetOf(epoch);
    for (let i = 0; i < COUNTERS; i++) numbers[at + i] = this.counters[i] as number;
    numbers[at + EPOCH_REFERENCES] = 1;
    this.refer(meter.epoch, -1);
    meter.epoch = epoch;
    return epoch;
  }

  private isNear(epoch: number): boolean {
    const numbers = this.epochs.chunkOf(epoch);
    const at = this.epochs.offsetOf(epoch);
    for (let i = 0; i < COUNTERS; i++) {
      const difference = (this.counters[i] as number) - (numbers[at + i] as number);
      if (!(difference >= 0 && difference < WORD)) return false;
    }
    return true;
  }

  private refer(epoch: number, change: 1 | -1): void {
    if (epoch === ZERO) return;
    const numbers = this.epochs.chunkOf(epoch);
    const at = this.epochs.offsetOf(epoch) + EPOCH_REFERENCES;
    const references = (numbers[at] as number) + change;
    numbers[at] = references;
    if (references === 0) this.epochs.giveBack(epoch);
  }
}

const IO_WAIT = 4;

function putEnd(
  numbers: Float64Array,
  at: number,
  toMicros: number,
  memoryBytes: number,
  peakMemoryBytes: number,
  cut: boolean,
): void {
  numbers[at + CLOSED.to] = toMicros;
  numbers[at + CLOSED.memory] = memoryBytes;
  numbers[at + CLOSED.peak] = peakMemoryBytes;
  numbers[at + CLOSED.flags] = cut ? CUT : 0;
}
