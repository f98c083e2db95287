/** TCP and TLS: one connection, made again when it is lost, but not in a hurry (RFC 7011 10.4.4). */
import { isIP, type Socket } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import { tlsTrouble } from './tls-trouble.js';
import type { Contents, Transport, TransportEvents } from './transport.js';

export interface StreamOptions {
  readonly host: string;
  readonly port: number;
  /** Most octets that wait. */
  readonly queueBytes: number;
  /** Least time from one attempt to connect to the next. */
  readonly reconnectMs: number;
  readonly connectTimeoutMs: number;
  /** Null for TCP. */
  readonly tls: TlsFiles | null;
}

/** PEM texts. */
export interface TlsFiles {
  /** Authorities that the collector's certificate may come from; null for the system's. */
  readonly ca: string | null;
  readonly cert: string;
  readonly key: string;
}

/** Large enough to cost little, small enough to be with the collector soon. */
const MESSAGE_LIMIT = 16_384;
const CLOSE_MS = 2000;
const KEEP_ALIVE_MS = 30_000;
/** How far the time between attempts grows. */
const MOST_BACKOFF = 4;

export class StreamTransport implements Transport {
  readonly name: 'TCP' | 'TLS';
  readonly isReliable = true;
  readonly messageLimit = MESSAGE_LIMIT;
  readonly isFull = false;
  private socket: Socket | null = null;
  private isConnected = false;
  private isClosed = false;
  /** What was written and is not with the kernel yet, in order. */
  private readonly waiting: Contents[] = [];
  private waitingBytes = 0;
  private failures = 0;
  private triedAt = -Infinity;
  private retry: NodeJS.Timeout | null = null;
  private events: TransportEvents | null = null;

  constructor(private readonly options: StreamOptions) {
    this.name = options.tls === null ? 'TCP' : 'TLS';
  }

  get isReady(): boolean {
    return this.isConnected && this.waitingBytes < this.options.queueBytes;
  }

  get queuedBytes(): number {
    return this.waitingBytes;
  }

  start(events: TransportEvents): void {
    this.events = events;
    this.connect(events);
  }

  send(message: Uint8Array, contents: Contents): void {
    const { socket } = this;
    if (socket === null || !this.isConnected) {
      this.events?.lost(contents);
      return;
    }
    this.waiting.push(contents);
    this.waitingBytes += contents.length;
    socket.write(Buffer.from(message), (error) => {
      // Without it the socket closes, and all that waits is lost.
      if (error !== null && error !== undefined) return;
      if (this.socket !== socket) return;
      this.waiting.shift();
      this.waitingBytes -= contents.length;
    });
  }

  renew(): void {
    // It goes on for as long as it is wanted.
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    const { socket } = this;
    if (socket === null || socket.destroyed) return;
    if (!this.isConnected) {
      socket.destroy();
      return;
    }
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        socket.destroy();
      }, CLOSE_MS);
      socket.once('close', () => {
        clearTimeout(late);
        resolve();
      });
      // Everything, then FIN. The collector closes its end when it has read all of it.
      socket.end();
    });
  }

  private connect(events: TransportEvents): void {
    this.triedAt = performance.now();
    const { host, port, connectTimeoutMs } = this.options;
    const socket = this.options.tls === null ? net.connect({ host, port }) : this.connectTls(this.options.tls);
    this.socket = socket;
    let reason: Error | null = null;
    const late = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    socket.once(this.options.tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(late);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      this.isConnected = true;
      this.failures = 0;
      events.up();
    });
    // What a collector sends (TLS tickets, for one) is read: closing over unread data would reset the connection.
    socket.resume();
    socket.on('error', (error) => (reason = this.options.tls === null ? error : tlsTrouble(error)));
    socket.once('close', () => {
      clearTimeout(late);
      this.closed(events, reason);
    });
  }

  private connectTls({ ca, cert, key }: TlsFiles): Socket {
    const { host, port } = this.options;
    return tls.connect({
      host,
      port,
      cert,
      key,
      ...(ca !== null && { ca }),
      // The name goes into the handshake and is verified against the certificate; an address is verified as such.
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
  }

  private closed(events: TransportEvents, reason: Error | null): void {
    const wasConnected = this.isConnected;
    this.isConnected = false;
    this.socket = null;
    const lost = this.waiting.splice(0);
    this.waitingBytes = 0;
    for (const contents of lost) events.lost(contents);
    if (this.isClosed) {
      events.down(reason);
      return;
    }
    if (!wasConnected) this.failures++;
    events.down(reason ?? new Error('the collector closed the connection'));
    const wait = this.options.reconnectMs * Math.min(MOST_BACKOFF, 2 ** Math.max(0, this.failures - 1));
    const delay = Math.max(0, this.triedAt + wait - performance.now());
    this.retry = setTimeout(() => this.connect(events), delay);
  }
}
