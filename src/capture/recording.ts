/**
 * Recordings: batches in a file, as they came from capture.
 *
 *   header   8 bytes "PFREC\r\n\x1a" (a transfer that changes line ends breaks it visibly), u32 format version,
 *            u32 length and u32 CRC-32 of a JSON text, then that text: the layout, and facts about the host
 *   frame    u32 length, u32 CRC-32 over what follows, f64 time of receipt (Unix µs), then the batch
 *   the end  a frame of length 0 whose time is the number of batches: without it the recording was cut short
 *
 * Numbers are little endian. Reading gives every batch before the first damage, and then says where that is.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { ProcflowError } from '../errors.js';
import { decodeBatch, type Batch } from './batch.js';
import { crc32 } from './crc32.js';
import { LAYOUT_VERSION, layoutText } from './layout.js';

const MAGIC = Buffer.from('PFREC\r\n\x1a', 'latin1');
const FORMAT_VERSION = 1;
const HEADER_BYTES = 20;
const FRAME_BYTES = 16;
/** No batch is longer; a greater length is damage, and must not be allocated. */
const MAX_FRAME_BYTES = 512 * 1024 * 1024;
const MAX_HEADER_TEXT_BYTES = 1024 * 1024;
const DEFAULT_BUFFER_BYTES = 512 * 1024 * 1024;
/** At full speed the event loop has its turn at least this often. */
const SLICE_MS = 5;

/** Where the batches come from, as the recording tells it. */
export interface RecordedHost {
  readonly hostId: string;
  readonly bootId: string;
  readonly hostname: string;
  readonly kernel: string;
  readonly agentVersion: string;
  /** The capture source: ebpf, ebpf-limited or procfs. */
  readonly source: string;
  /** When the recording agent started, Unix µs. */
  readonly startMicros: number;
}

export interface RecordingHeader {
  readonly layoutVersion: number;
  readonly layout: string;
  readonly host: RecordedHost;
}

export interface RecordedBatch {
  readonly batch: Batch;
  /** When the recorder got it, Unix µs. */
  readonly receivedMicros: number;
}

export interface RecordingWriterOptions {
  /** Batches waiting for the disk hold at most so many bytes; further ones are dropped and counted. */
  readonly maxBufferedBytes?: number;
}

/** Writes a recording. Appending never waits: what the disk cannot take in time is dropped and counted. */
export class RecordingWriter {
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private writing: Promise<void> | null = null;
  private batches = 0;
  private droppedBatches = 0;
  private writtenBytes = 0;
  private failure: ProcflowError | null = null;
  private closing = false;

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
    private readonly maxBufferedBytes: number,
  ) {}

  /** Creates the file, or replaces it. @throws ProcflowError RECORDING_INVALID when it cannot be written */
  static async create(
    file: string,
    host: RecordedHost,
    options: RecordingWriterOptions = {},
  ): Promise<RecordingWriter> {
    try {
      // Command lines are in it: nobody else may read it.
      const handle = await open(file, 'w', 0o600);
      const writer = new RecordingWriter(file, handle, options.maxBufferedBytes ?? DEFAULT_BUFFER_BYTES);
      await writer.write(encodeHeader(host));
      return writer;
    } catch (error) {
      throw writeFailure(file, error);
    }
  }

  /** Takes a batch to write; the block must not be changed afterwards. False when it was dropped. */
  append(batch: ArrayBuffer, receivedMicros: number): boolean {
    const bytes = FRAME_BYTES + batch.byteLength;
    if (this.closing || this.failure !== null || this.queuedBytes + bytes > this.maxBufferedBytes) {
      this.droppedBatches++;
      return false;
    }
    const content = new Uint8Array(batch);
    this.queue.push(encodeFrame(content, receivedMicros), content);
    this.queuedBytes += bytes;
    this.batches++;
    this.writing ??= this.drain();
    return true;
  }

  /** Batches that did not get into the file. */
  get dropped(): number {
    return this.droppedBatches;
  }

  /** Batches taken so far. */
  get count(): number {
    return this.batches;
  }

  /** Why nothing is written any more (a full disk); null while all is well. */
  get error(): ProcflowError | null {
    return this.failure;
  }

  /** Resolves when everything taken so far is in the file, or writing has failed. */
  async flushed(): Promise<void> {
    while (this.writing !== null) await this.writing;
  }

  /** Writes what is waiting and the end mark. @throws ProcflowError when something could not be written */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await this.flushed();
    try {
      if (this.failure === null) {
        await this.write(encodeFrame(new Uint8Array(), this.batches));
        await this.handle.sync();
      }
    } catch (error) {
      this.failure = writeFailure(this.file, error);
    } finally {
      await this.handle.close();
    }
    if (this.failure !== null) throw this.failure;
  }

  /** Writes the queue to its end. Does not reject: a failure is kept, and what was waiting is counted as dropped. */
  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      const parts = this.queue.splice(0);
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      try {
        await this.write(Buffer.concat(parts));
      } catch (error) {
        this.failure = writeFailure(this.file, error);
        const lost = (parts.length + this.queue.length) / 2;
        this.droppedBatches += lost;
        this.batches -= lost;
        this.queue.length = 0;
        this.queuedBytes = 0;
        // A half frame at the end would make the rest unreadable for nothing.
        await this.handle.truncate(this.writtenBytes).catch(() => undefined);
        break;
      }
      this.queuedBytes -= bytes;
    }
    this.writing = null;
  }

  private async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, this.writtenBytes + done);
      done += bytesWritten;
    }
    this.writtenBytes += bytes.length;
  }
}

function encodeHeader(host: RecordedHost): Buffer {
  const header: RecordingHeader = { layoutVersion: LAYOUT_VERSION, layout: layoutText(), host };
  const text = Buffer.from(JSON.stringify(header));
  const fixed = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(fixed);
  fixed.writeUInt32LE(FORMAT_VERSION, 8);
  fixed.writeUInt32LE(text.length, 12);
  fixed.writeUInt32LE(crc32(text), 16);
  return Buffer.concat([fixed, text]);
}

function encodeFrame(content: Uint8Array, time: number): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32LE(content.length, 0);
  frame.writeDoubleLE(time, 8);
  frame.writeUInt32LE(crc32(content, crc32(frame.subarray(8))), 4);
  return frame;
}

function writeFailure(file: string, error: unknown): ProcflowError {
  const code = (error as NodeJS.ErrnoException).code;
  const why = code === 'ENOSPC' ? 'the disk is full' : error instanceof Error ? error.message : String(error);
  return new ProcflowError('RECORDING_INVALID', `the recording ${file} cannot be written: ${why}`, { cause: error });
}

export interface ReadRecordingOptions {
  /** `real` keeps the times between batches, `full` gives them as fast as they are taken. */
  readonly speed?: 'real' | 'full';
  /** Ends the reading without an error. */
  readonly signal?: AbortSignal;
}

/**
 * What a recording says about itself.
 * @throws ProcflowError RECORDING_INVALID when it is no recording, or not one of this layout
 */
export async function readRecordingHeader(file: string): Promise<RecordingHeader> {
  const reader = await Reader.open(file);
  try {
    return await reader.header();
  } finally {
    await reader.close();
  }
}

/**
 * The batches of a recording, in order.
 * @throws ProcflowError RECORDING_INVALID after the last good batch, when the file is cut short or damaged
 */
export async function* readRecording(
  file: string,
  options: ReadRecordingOptions = {},
): AsyncGenerator<RecordedBatch, void> {
  const { signal } = options;
  const reader = await Reader.open(file);
  try {
    await reader.header();
    const pace = options.speed === 'real' ? realPace(signal) : fullPace();
    while (signal?.aborted !== true) {
      const next = await reader.next();
      if (next === null) return;
      if (!(await pace(next.receivedMicros))) return;
      yield next;
    }
  } finally {
    await reader.close();
  }
}

/** Waits as long as the recorder did; false when it was told to stop. */
function realPace(signal: AbortSignal | undefined): (receivedMicros: number) => Promise<boolean> {
  let origin: number | undefined;
  return async (receivedMicros) => {
    const now = performance.now();
    origin ??= now - receivedMicros / 1000;
    const waitMs = receivedMicros / 1000 + origin - now;
    if (waitMs <= 0) return nextTurn(true);
    return delay(waitMs, true, signal === undefined ? {} : { signal }).catch(() => false);
  };
}

/** Lets the event loop run between slices: reads from the page cache may complete without a turn of it. */
function fullPace(): () => Promise<boolean> {
  let sliceStart = performance.now();
  return async () => {
    if (performance.now() - sliceStart < SLICE_MS) return true;
    await nextTurn();
    sliceStart = performance.now();
    return true;
  };
}

class Reader {
  private offset = 0;
  private batches = 0;

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
  ) {}

  static async open(file: string): Promise<Reader> {
    try {
      return new Reader(file, await open(file, 'r'));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ProcflowError('RECORDING_INVALID', `the recording ${file} cannot be opened: ${why}`, { cause: error });
    }
  }

  async header(): Promise<RecordingHeader> {
    const fixed = Buffer.from(await this.take(HEADER_BYTES, 'its header'));
    if (!fixed.subarray(0, MAGIC.length).equals(MAGIC)) throw this.damage('this is no procflow recording', 0);
    const version = fixed.readUInt32LE(8);
    if (version !== FORMAT_VERSION) {
      throw this.damage(`it has format version ${version}, and this procflow reads version ${FORMAT_VERSION}`, 8);
    }
    const length = fixed.readUInt32LE(12);
    if (length > MAX_HEADER_TEXT_BYTES) throw this.damage('the length of the header is damaged', 12);
    const text = Buffer.from(await this.take(length, 'its header'));
    if (crc32(text) !== fixed.readUInt32LE(16)) throw this.damage('the checksum of the header is wrong', HEADER_BYTES);
    const header = JSON.parse(text.toString()) as RecordingHeader;
    if (header.layoutVersion !== LAYOUT_VERSION || header.layout !== layoutText()) {
      throw this.damage(
        `it was written by procflow ${header.host.agentVersion} with another layout of batches (version ` +
          `${header.layoutVersion}, and this one reads ${LAYOUT_VERSION}); replay it with that version`,
        HEADER_BYTES,
      );
    }
    return header;
  }

  /** The next batch; null at the end mark. */
  async next(): Promise<RecordedBatch | null> {
    const start = this.offset;
    const frame = Buffer.from(await this.take(FRAME_BYTES, 'the head of a batch; it has no end mark'));
    const length = frame.readUInt32LE(0);
    const receivedMicros = frame.readDoubleLE(8);
    if (length > MAX_FRAME_BYTES) throw this.damage('the length of a batch is damaged', start);
    const content = await this.take(length, 'a batch');
    if (crc32(new Uint8Array(content), crc32(frame.subarray(8))) !== frame.readUInt32LE(4)) {
      throw this.damage('the checksum of a batch is wrong', start);
    }
    if (length === 0) {
      if (receivedMicros !== this.batches) throw this.damage('batches are missing', start);
      return null;
    }
    try {
      const batch = decodeBatch(content);
      this.batches++;
      return { batch, receivedMicros };
    } catch (error) {
      throw this.damage(error instanceof Error ? error.message : String(error), start);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  /** The next `length` bytes, in memory of their own: batches are decoded in place. */
  private async take(length: number, what: string): Promise<ArrayBuffer> {
    const start = this.offset;
    const size = (await this.handle.stat()).size;
    // Checked before memory is taken: a damaged length must not cost any.
    if (start + length > size) throw this.damage(`the file ends within ${what}`, start);
    const bytes = new Uint8Array(new ArrayBuffer(length));
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.handle.read(bytes, done, length - done, start + done);
      if (bytesRead === 0) throw this.damage(`the file ends within ${what}`, start);
      done += bytesRead;
    }
    this.offset += length;
    return bytes.buffer;
  }

  private damage(what: string, offset: number): ProcflowError {
    return new ProcflowError(
      'RECORDING_INVALID',
      `the recording ${this.file} is damaged or of another kind at byte ${offset}, after ${this.batches} good batches: ${what}`,
    );
  }
}
