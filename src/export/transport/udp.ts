/** UDP: a datagram for each message. What the network loses nobody knows; what this host cannot send is counted. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { Contents, Transport, TransportEvents } from './transport.js';

export interface UdpOptions {
  readonly host: string;
  readonly port: number;
  /** Largest IP packet. */
  readonly mtu: number;
  /** Most octets that wait. */
  readonly queueBytes: number;
  /** From one attempt to find the collector's address to the next. */
  readonly retryMs: number;
}

const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const LARGEST_IPV4 = 65_535;
const CLOSE_MS = 1000;

export class UdpTransport implements Transport {
  readonly name = 'UDP';
  readonly isReliable = false;
  readonly isFull = false;
  private socket: Socket | null = null;
  private isConnected = false;
  private isClosed = false;
  private family: 4 | 6 = 4;
  private waiting = 0;
  private retry: NodeJS.Timeout | null = null;
  private drained: (() => void) | null = null;
  private events: TransportEvents | null = null;

  constructor(private readonly options: UdpOptions) {}

  get messageLimit(): number {
    const headers = UDP_HEADER + (this.family === 4 ? IPV4_HEADER : IPV6_HEADER);
    const limit = Math.min(this.options.mtu, LARGEST_IPV4) - headers;
    // A multiple of four, so that there is always room for padding.
    return limit - (limit % 4);
  }

  get isReady(): boolean {
    return this.isConnected && this.waiting < this.options.queueBytes;
  }

  get queuedBytes(): number {
    return this.waiting;
  }

  start(events: TransportEvents): void {
    this.events = events;
    void this.open(events);
  }

  send(message: Uint8Array, contents: Contents): void {
    const { socket } = this;
    if (socket === null || !this.isConnected) {
      this.events?.lost(contents);
      return;
    }
    this.waiting += message.length;
    socket.send(Buffer.from(message), (error) => {
      this.waiting -= contents.length;
      if (error !== null) {
        this.events?.lost(contents);
        this.events?.failed(withoutCall(error));
      }
      if (this.waiting === 0) this.drained?.();
    });
  }

  renew(): void {
    // It goes on for as long as it is wanted.
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    if (this.waiting > 0) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, CLOSE_MS);
        this.drained = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
    this.isConnected = false;
    this.socket?.close();
    this.socket = null;
  }

  private async open(events: TransportEvents): Promise<void> {
    try {
      const { address, family } = await lookup(this.options.host);
      if (this.isClosed) return;
      this.family = family === 6 ? 6 : 4;
      const socket = createSocket({ type: family === 6 ? 'udp6' : 'udp4' });
      this.socket = socket;
      socket.on('error', (error) => events.failed(withoutCall(error)));
      // Connected, so that the kernel tells when nobody listens there.
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(this.options.port, address, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      if (this.isEnded()) return;
      this.isConnected = true;
      events.up();
    } catch (error) {
      this.socket?.close();
      this.socket = null;
      if (this.isEnded()) return;
      events.down(error as Error);
      this.retry = setTimeout(() => void this.open(events), this.options.retryMs);
    }
  }

  /** Asked again after waiting. */
  private isEnded(): boolean {
    return this.isClosed;
  }
}

/** That nobody listens is heard of by sending and by receiving alike: one trouble, one text. */
function withoutCall(error: NodeJS.ErrnoException): Error {
  return error.code === 'ECONNREFUSED' ? new Error('connection refused: nobody listens there') : error;
}
