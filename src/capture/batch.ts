/**
 * Batches: what capture hands over, decoded in place.
 *
 * A batch is one block of memory, little endian (the header comment of native/src/batch_layout.h draws it). Columns are
 * views into the block; strings are decoded when somebody asks. Everything that could point outside of the block is
 * checked once, here: whoever reads a batch afterwards can trust it.
 */
import { ProcflowError } from '../errors.js';
import { printable } from '../text.js';
import { addressBytes } from './address.js';
import {
  COLUMN_BYTES,
  LAYOUT_VERSION,
  TABLES,
  TABLE_NAMES,
  UNKNOWN_STRING,
  type ColumnType,
  type TableName,
  type Tables,
} from './layout.js';

/** "PFB1" */
const MAGIC = 0x31424650;
const FIXED_HEADER_BYTES = 36;

/** An `addr` column has four words a row. */
type ColumnArray<T extends ColumnType> = T extends 'u8'
  ? Uint8Array
  : T extends 'u16'
    ? Uint16Array
    : T extends 'i32'
      ? Int32Array
      : T extends 'f64'
        ? Float64Array
        : Uint32Array;

/** A table of a batch: the number of rows, and one typed array a column. */
export type BatchTable<N extends TableName> = { readonly rows: number } & {
  readonly [C in keyof Tables[N]]: Tables[N][C] extends ColumnType ? ColumnArray<Tables[N][C]> : never;
};

export type BatchTables = { readonly [N in TableName]: BatchTable<N> };

type Column = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** The columns of each table in their order, as pairs of name and type. */
const COLUMNS: readonly (readonly (readonly [name: string, type: ColumnType])[])[] = TABLE_NAMES.map((table) =>
  Object.entries(TABLES[table]),
);

/**
 * Tables without rows: most batches leave most of them empty, and share these. The others are copies with columns of
 * their own, since the engine keeps an object that is put together name by name as a dictionary, slow to make and to
 * read. A spread makes it a record.
 */
const EMPTY_TABLES: readonly object[] = COLUMNS.map((columns) => ({
  rows: 0,
  ...Object.fromEntries(columns.map(([name, type]) => [name, columnOf(type, new ArrayBuffer(0), 0, 0)])),
}));

export class Batch {
  private readonly decoded: (string | undefined)[] = [];

  constructor(
    /** The whole block, as it came. */
    readonly buffer: ArrayBuffer,
    /** Counts the batches of one source, from 0. */
    readonly sequence: number,
    /** CLOCK_BOOTTIME when the batch was closed, ns. */
    readonly readBootNs: number,
    /** What to add to boot time to get Unix time, ns. */
    readonly bootToUnixNs: number,
    private readonly tables: BatchTables,
    private readonly stringEnds: Uint32Array,
    private readonly stringBytes: Uint8Array,
  ) {}

  get process(): BatchTable<'process'> {
    return this.tables.process;
  }
  get socket(): BatchTable<'socket'> {
    return this.tables.socket;
  }
  get traffic(): BatchTable<'traffic'> {
    return this.tables.traffic;
  }
  get address(): BatchTable<'address'> {
    return this.tables.address;
  }
  get loss(): BatchTable<'loss'> {
    return this.tables.loss;
  }
  get usage(): BatchTable<'usage'> {
    return this.tables.usage;
  }
  get exchange(): BatchTable<'exchange'> {
    return this.tables.exchange;
  }
  get application(): BatchTable<'application'> {
    return this.tables.application;
  }
  get peer(): BatchTable<'peer'> {
    return this.tables.peer;
  }
  get tier(): BatchTable<'tier'> {
    return this.tables.tier;
  }

  /** Rows of all tables together. */
  get rows(): number {
    return TABLE_NAMES.reduce((sum, name) => sum + this.tables[name].rows, 0);
  }

  /** The text of a `str` value, printable whatever bytes it came from; null when unknown. */
  text(index: number): string | null {
    if (index === UNKNOWN_STRING) return null;
    return (this.decoded[index] ??= printable(this.bytes(index)));
  }

  /** The parts of a `str` value that are separated by NUL; null when unknown. */
  list(index: number): readonly string[] | null {
    if (index === UNKNOWN_STRING) return null;
    const bytes = this.bytes(index);
    if (bytes.length === 0) return [];
    const parts: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
      parts.push(printable(bytes.subarray(start, end)));
      start = end + 1;
    }
    parts.push(printable(bytes.subarray(start)));
    return parts;
  }

  private bytes(index: number): Uint8Array {
    const start = index === 0 ? 0 : this.stringEnds[index - 1];
    return this.stringBytes.subarray(start, this.stringEnds[index]);
  }
}

/**
 * Decodes a batch in place: the block must not be changed afterwards.
 * @throws ProcflowError RECORDING_INVALID when the block is not a whole batch of this layout
 */
export function decodeBatch(buffer: ArrayBuffer): Batch {
  return new Decoder(buffer).decode();
}

/** Walks over the block; `offset` is the first byte not taken yet. */
class Decoder {
  private readonly view: DataView;
  private offset = 0;

  constructor(private readonly buffer: ArrayBuffer) {
    this.view = new DataView(buffer);
  }

  decode(): Batch {
    const headerBytes = padded(FIXED_HEADER_BYTES + 4 * TABLE_NAMES.length + 8);
    if (this.buffer.byteLength < headerBytes) {
      throw corrupt(`has ${this.buffer.byteLength} bytes, fewer than its header`);
    }
    if (this.view.getUint32(0, true) !== MAGIC) throw corrupt('does not begin with the mark of a batch');
    const version = this.view.getUint32(4, true);
    if (version !== LAYOUT_VERSION) {
      throw corrupt(`has layout version ${version}, and this procflow reads version ${LAYOUT_VERSION}`);
    }
    const tables = this.view.getUint32(32, true);
    if (tables !== TABLE_NAMES.length) throw corrupt(`has ${tables} tables where ${TABLE_NAMES.length} are expected`);
    const counts = TABLE_NAMES.map((_, index) => this.view.getUint32(FIXED_HEADER_BYTES + 4 * index, true));
    const stringCount = this.view.getUint32(FIXED_HEADER_BYTES + 4 * tables, true);
    const stringSize = this.view.getUint32(FIXED_HEADER_BYTES + 4 * tables + 4, true);

    this.offset = headerBytes;
    const decoded: Partial<Record<TableName, object>> = {};
    for (const [index, name] of TABLE_NAMES.entries()) decoded[name] = this.table(index, counts[index] ?? 0);
    const ends = this.column('u32', stringCount, 'string offsets') as Uint32Array;
    const bytes = this.column('u8', stringSize, 'strings') as Uint8Array;
    checkEnds(ends, stringSize);
    // The loop above has filled every table with the columns of its layout.
    const whole = decoded as BatchTables;
    checkStringColumns(whole, stringCount);
    const batch = new Batch(
      this.buffer,
      this.view.getFloat64(8, true),
      this.view.getFloat64(16, true),
      this.view.getFloat64(24, true),
      whole,
      ends,
      bytes,
    );
    if (!(Number.isFinite(batch.readBootNs) && Number.isFinite(batch.bootToUnixNs))) {
      throw corrupt('has no valid time');
    }
    return batch;
  }

  private table(index: number, rows: number): object {
    if (rows === 0) return EMPTY_TABLES[index] as object;
    const table: Record<string, unknown> = { ...EMPTY_TABLES[index], rows };
    for (const [name, type] of COLUMNS[index] ?? []) {
      table[name] = this.column(type, rows, name, TABLE_NAMES[index]);
    }
    return table;
  }

  private column(type: ColumnType, rows: number, name: string, table?: string): Column {
    const start = this.offset;
    const size = rows * COLUMN_BYTES[type];
    if (start + size > this.buffer.byteLength) {
      const what = table === undefined ? name : `${table}.${name}`;
      throw corrupt(`ends within ${what}: ${start + size} bytes are needed, it has ${this.buffer.byteLength}`);
    }
    this.offset = start + padded(size);
    return columnOf(type, this.buffer, start, rows);
  }
}

function columnOf(type: ColumnType, buffer: ArrayBuffer, start: number, rows: number): Column {
  switch (type) {
    case 'u8':
      return new Uint8Array(buffer, start, rows);
    case 'u16':
      return new Uint16Array(buffer, start, rows);
    case 'u32':
    case 'str':
      return new Uint32Array(buffer, start, rows);
    case 'i32':
      return new Int32Array(buffer, start, rows);
    case 'f64':
      return new Float64Array(buffer, start, rows);
    case 'addr':
      return new Uint32Array(buffer, start, rows * 4);
  }
}

function checkEnds(ends: Uint32Array, size: number): void {
  let previous = 0;
  for (const end of ends) {
    if (end < previous || end > size) throw corrupt('has strings that overlap or lie outside of it');
    previous = end;
  }
}

function checkStringColumns(tables: BatchTables, strings: number): void {
  for (const [index, table] of TABLE_NAMES.entries()) {
    if (tables[table].rows === 0) continue;
    for (const [name, type] of COLUMNS[index] ?? []) {
      if (type !== 'str') continue;
      const values = (tables[table] as unknown as Record<string, Uint32Array>)[name] ?? [];
      for (const value of values) {
        if (value >= strings && value !== UNKNOWN_STRING)
          throw corrupt(`names a string that is not there in ${table}.${name}`);
      }
    }
  }
}

function corrupt(what: string): ProcflowError {
  return new ProcflowError('RECORDING_INVALID', `corrupt batch: it ${what}`);
}

function padded(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/** A row to write: columns left out are 0, unknown strings, unspecified addresses. Addresses are given as text. */
export type WrittenRow<N extends TableName> = {
  readonly [C in keyof Tables[N]]?: Tables[N][C] extends 'str'
    ? string | Uint8Array | null
    : Tables[N][C] extends 'addr'
      ? string | Uint8Array
      : number;
};

/** Builds batches in the format of the addon: for tests, benches and synthetic recordings. */
export class BatchWriter {
  private rows: Record<TableName, Readonly<Record<string, unknown>>[]> = emptyRows();
  private sequence = 0;

  add<N extends TableName>(table: N, row: WrittenRow<N>): this {
    this.rows[table].push(row);
    return this;
  }

  get empty(): boolean {
    return TABLE_NAMES.every((name) => this.rows[name].length === 0);
  }

  /** Closes the batch and begins the next. */
  seal(readBootNs: number, bootToUnixNs: number): ArrayBuffer {
    const strings = new StringPool();
    const columns: Uint8Array[] = [];
    for (const name of TABLE_NAMES) {
      for (const [column, type] of Object.entries(TABLES[name])) {
        columns.push(encodeColumn(this.rows[name], column, type, strings));
      }
    }
    columns.push(...strings.columns());
    const header = padded(FIXED_HEADER_BYTES + 4 * TABLE_NAMES.length + 8);
    const buffer = new ArrayBuffer(columns.reduce((size, column) => size + padded(column.length), header));
    const view = new DataView(buffer);
    view.setUint32(0, MAGIC, true);
    view.setUint32(4, LAYOUT_VERSION, true);
    view.setFloat64(8, this.sequence++, true);
    view.setFloat64(16, readBootNs, true);
    view.setFloat64(24, bootToUnixNs, true);
    view.setUint32(32, TABLE_NAMES.length, true);
    TABLE_NAMES.forEach((name, index) => view.setUint32(FIXED_HEADER_BYTES + 4 * index, this.rows[name].length, true));
    view.setUint32(FIXED_HEADER_BYTES + 4 * TABLE_NAMES.length, strings.count, true);
    view.setUint32(FIXED_HEADER_BYTES + 4 * TABLE_NAMES.length + 4, strings.size, true);
    let offset = header;
    for (const column of columns) {
      new Uint8Array(buffer).set(column, offset);
      offset += padded(column.length);
    }
    this.rows = emptyRows();
    return buffer;
  }
}

function emptyRows(): Record<TableName, Readonly<Record<string, unknown>>[]> {
  return Object.fromEntries(TABLE_NAMES.map((name) => [name, [] as Readonly<Record<string, unknown>>[]])) as Record<
    TableName,
    Readonly<Record<string, unknown>>[]
  >;
}

class StringPool {
  private readonly known = new Map<string, number>();
  private readonly parts: Uint8Array[] = [];
  private readonly ends: number[] = [];
  size = 0;

  get count(): number {
    return this.ends.length;
  }

  index(value: unknown): number {
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) return UNKNOWN_STRING;
    const bytes = Buffer.from(value as Uint8Array);
    const key = bytes.toString('latin1');
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.parts.push(bytes);
    this.size += bytes.length;
    this.ends.push(this.size);
    this.known.set(key, this.ends.length - 1);
    return this.ends.length - 1;
  }

  columns(): [Uint8Array, Uint8Array] {
    return [new Uint8Array(Uint32Array.from(this.ends).buffer), Buffer.concat(this.parts)];
  }
}

function encodeColumn(
  rows: readonly Readonly<Record<string, unknown>>[],
  column: string,
  type: ColumnType,
  strings: StringPool,
): Uint8Array {
  const size = COLUMN_BYTES[type];
  const bytes = new Uint8Array(rows.length * size);
  const view = new DataView(bytes.buffer);
  rows.forEach((row, index) => {
    const value = row[column];
    const offset = index * size;
    if (type === 'str') view.setUint32(offset, strings.index(value), true);
    else if (type === 'addr') {
      if (value !== undefined)
        bytes.set(typeof value === 'string' ? addressBytes(value) : (value as Uint8Array), offset);
    } else if (typeof value === 'number') putNumber(view, offset, type, value);
  });
  return bytes;
}

function putNumber(view: DataView, offset: number, type: 'u8' | 'u16' | 'u32' | 'i32' | 'f64', value: number): void {
  if (type === 'u8') view.setUint8(offset, value);
  else if (type === 'u16') view.setUint16(offset, value, true);
  else if (type === 'u32') view.setUint32(offset, value, true);
  else if (type === 'i32') view.setInt32(offset, value, true);
  else view.setFloat64(offset, value, true);
}
