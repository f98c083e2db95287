/** The series of one process, executable, user, container or host: where its pages are. */
import { COLUMNS, LEVELS } from './columns.js';

/** What a track takes besides its pages, about. */
export const TRACK_BYTES = 1024;

export class Track {
  /** The first slot in which it was there, and the last. */
  first: number;
  last = Infinity;
  /** By chunk of the ring and column, the page's number plus one; 0 where nothing happened. Made with the first page. */
  pages: Int32Array | null = null;
  /** By chunk of the ring and level, what holds where there is no page. NaN is unknown. */
  readonly bases: Float64Array;
  readonly levels = new Float64Array(LEVELS).fill(NaN);
  /** The kernel has told at least once how long it waited for I/O. */
  ioWaitKnown = false;
  /** Bytes of storage and context switches have been told at least once. */
  isWhole = false;

  constructor(
    first: number,
    readonly isProcess: boolean,
    private readonly chunks: number,
  ) {
    this.first = first;
    this.bases = new Float64Array(chunks * LEVELS).fill(NaN);
  }

  /** The page of a column in a chunk; -1 when it has none. */
  pageOf(chunk: number, column: number): number {
    return this.pages === null ? -1 : (this.pages[(chunk % this.chunks) * COLUMNS + column] as number) - 1;
  }

  setPage(chunk: number, column: number, page: number): void {
    this.pages ??= new Int32Array(this.chunks * COLUMNS);
    this.pages[(chunk % this.chunks) * COLUMNS + column] = page + 1;
  }

  baseOf(chunk: number, level: number): number {
    return this.bases[(chunk % this.chunks) * LEVELS + level] as number;
  }

  setBase(chunk: number, level: number, value: number): void {
    this.bases[(chunk % this.chunks) * LEVELS + level] = value;
  }
}
