/**
 * IPFIX files (RFC 5655): a file is a sequence of messages, and a session of its own. When it is full it is renamed after
 * the time of its end, and the next begins.
 */
import { createWriteStream, existsSync, readdirSync, renameSync, unlinkSync, type WriteStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Contents, Transport, TransportEvents } from './transport.js';

export interface FileOptions {
  readonly path: string;
  /** When the file has become so large, the next begins. */
  readonly maxBytes: number;
  /** Files of earlier times to keep; older ones are deleted. */
  readonly keep: number;
  /** Most octets that wait for the disk. */
  readonly queueBytes: number;
  /** From one attempt to open it to the next. */
  readonly retryMs: number;
}

const MESSAGE_LIMIT = 65_532;
const FILE_MODE = 0o640;

export class FileTransport implements Transport {
  readonly name = 'FILE';
  readonly isReliable = true;
  readonly messageLimit = MESSAGE_LIMIT;
  private stream: WriteStream | null = null;
  private isClosed = false;
  private written = 0;
  private waitingBytes = 0;
  private retry: NodeJS.Timeout | null = null;
  private events: TransportEvents | null = null;
  /** Files that are not complete yet, earlier ones among them. */
  private readonly unfinished = new Set<Promise<void>>();
  /** What waits for the disk in the file that is open. */
  private waiting: Contents[] = [];

  constructor(private readonly options: FileOptions) {}

  get isReady(): boolean {
    return this.stream !== null && this.waitingBytes < this.options.queueBytes;
  }

  get queuedBytes(): number {
    return this.waitingBytes;
  }

  get isFull(): boolean {
    return this.stream !== null && this.written >= this.options.maxBytes;
  }

  start(events: TransportEvents): void {
    this.events = events;
    this.open(events);
  }

  send(message: Uint8Array, contents: Contents): void {
    const { stream, waiting } = this;
    if (stream === null) {
      this.events?.lost(contents);
      return;
    }
    waiting.push(contents);
    this.waitingBytes += contents.length;
    this.written += contents.length;
    stream.write(Buffer.from(message), (error) => {
      if (error !== null && error !== undefined) return;
      waiting.shift();
      this.waitingBytes -= contents.length;
    });
  }

  /** Begins the next file; the one before is completed meanwhile. */
  renew(): void {
    this.stream?.end();
    this.stream = null;
    if (this.events !== null) this.open(this.events);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    this.stream?.end();
    await Promise.all(this.unfinished);
  }

  private open(events: TransportEvents): void {
    try {
      this.setAside();
    } catch (error) {
      this.later(events, error as Error);
      return;
    }
    this.written = 0;
    const waiting: Contents[] = [];
    this.waiting = waiting;
    // Nobody else's file is written to.
    const stream = createWriteStream(this.options.path, { flags: 'wx', mode: FILE_MODE });
    this.stream = stream;
    const finished = new Promise<void>((resolve) => {
      let reason: Error | null = null;
      stream.on('error', (error) => (reason = error));
      stream.once('close', () => {
        resolve();
        for (const contents of waiting.splice(0)) {
          this.waitingBytes -= contents.length;
          events.lost(contents);
        }
        if (this.stream !== stream) return;
        this.stream = null;
        if (!this.isClosed) this.later(events, reason ?? new Error('the file was closed'));
      });
    });
    this.unfinished.add(finished);
    void finished.then(() => this.unfinished.delete(finished));
    // What is written before it is open waits in the stream.
    events.up();
  }

  private later(events: TransportEvents, error: Error): void {
    events.down(error);
    this.retry = setTimeout(() => this.open(events), this.options.retryMs);
  }

  /** A file that is there already is of an earlier time. */
  private setAside(): void {
    const { path, keep } = this.options;
    if (existsSync(path)) {
      const time = new Date().toISOString().replace(/[-:.]/g, '');
      renameSync(path, `${path}.${time}`);
    }
    const directory = dirname(path);
    const prefix = `${basename(path)}.`;
    const earlier = readdirSync(directory).filter((name) => name.startsWith(prefix) && /\.\d{8}T\d{9}Z$/.test(name));
    for (const name of earlier.sort().slice(0, Math.max(0, earlier.length - keep))) unlinkSync(join(directory, name));
  }
}
