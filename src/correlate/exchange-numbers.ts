/** Where the numbers of exchanges are kept: outside of their objects, which would take twice the memory for them. */

/** What one end of the connection saw of an exchange. Times are µs of Unix time, 0 when it did not happen. */
export const HALF_NUMBER = {
  requestStart: 0,
  requestEnd: 1,
  responseStart: 2,
  responseEnd: 3,
  requestBytes: 4,
  responseBytes: 5,
} as const;
export const HALF_NUMBERS = 6;

/** What the serving process spent, then what its thread did; in the units of the exchange table. */
export const SPENT_COLUMNS = [
  'cpuNs',
  'userNs',
  'systemNs',
  'memoryBytes',
  'peakMemoryBytes',
  'minorFaults',
  'majorFaults',
  'ioWaitNs',
  'readBytes',
  'writtenBytes',
  'voluntarySwitches',
  'involuntarySwitches',
] as const;
export const THREAD_SPENT_COLUMNS = [
  'threadCpuNs',
  'threadUserNs',
  'threadSystemNs',
  'threadMinorFaults',
  'threadMajorFaults',
  'threadIoWaitNs',
  'threadReadBytes',
  'threadWrittenBytes',
  'threadVoluntarySwitches',
  'threadInvoluntarySwitches',
] as const;

/** Where each group of numbers begins. */
export const NUMBER = {
  client: 0,
  server: HALF_NUMBERS,
  /** When it was over, should no half tell. */
  over: 2 * HALF_NUMBERS,
  windowFrom: 2 * HALF_NUMBERS + 1,
  windowTo: 2 * HALF_NUMBERS + 2,
  spent: 2 * HALF_NUMBERS + 3,
  threadSpent: 2 * HALF_NUMBERS + 3 + SPENT_COLUMNS.length,
} as const;
const NUMBERS = NUMBER.threadSpent + THREAD_SPENT_COLUMNS.length;

/** Places made at once. They are never used again: a chunk goes when the last exchange in it does. */
const CHUNK_PLACES = 128;

/** Gives each exchange its place. */
export class NumberPlaces {
  private chunk = new Float64Array(CHUNK_PLACES * NUMBERS);
  private used = 0;

  /** The chunk of the next place, whose offset is {@link take}. */
  get current(): Float64Array {
    if (this.used === CHUNK_PLACES) {
      this.chunk = new Float64Array(CHUNK_PLACES * NUMBERS);
      this.used = 0;
    }
    return this.chunk;
  }

  /** The offset of a place in {@link current}, all zero. */
  take(): number {
    return this.used++ * NUMBERS;
  }
}
