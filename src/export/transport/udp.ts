/** UDP: a datagram for each message. What the network loses nobody knows; what this host cannot send is counted. */
import { lookup } from 'node:dns/promises';
import { getSystemErrorName } from 'node:util';
import { loadAddon, type DatagramSender } from '../../capture/index.js';
import type { Contents, Transport, TransportEvents } from './transport.js';

export interface UdpOptions {
  readonly host: string;
  readonly port: number;
  /** Largest IP packet; a path that takes only smaller ones gets those. */
  readonly mtu: number;
  /** From one attempt to find the collector's address to the next. */
  readonly retryMs: number;
}

/** Every path takes that much; with less there would be no room for a template. */
const LEAST_MTU = 576;
const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** Messages that wait to go together; the kernel's queue comes behind them. */
const SLOTS = 256;
/** A batch that is worth a system call. */
const BATCH = 64;
/** When the kernel's queue is full. */
const FULL_MS = 2;
const CLOSE_MS = 1000;

export class UdpTransport implements Transport {
  readonly name = 'UDP';
  readonly isReliable = false;
  readonly isFull = false;
  private sender: DatagramSender | null = null;
  private isClosed = false;
  private family: 4 | 6 = 4;
  private retry: NodeJS.Timeout | null = null;
  private events: TransportEvents | null = null;
  /** Those from `first` to `end` wait. */
  private slots = new Uint8Array(0);
  private readonly lengths = new Uint32Array(SLOTS);
  private readonly contents: Contents[] = [];
  private first = 0;
  private end = 0;
  private waitingBytes = 0;
  private isScheduled = false;
  /** What the kernel took last; null when that was refused. */
  private latest: Contents | null = null;
  /** Of the path, and not more than is wanted. */
  private mtu: number;

  constructor(private readonly options: UdpOptions) {
    this.mtu = options.mtu;
  }

  get messageLimit(): number {
    return this.limitOf(this.mtu);
  }

  get isReady(): boolean {
    return this.sender !== null && this.end < SLOTS;
  }

  get queuedBytes(): number {
    return this.waitingBytes;
  }

  start(events: TransportEvents): void {
    this.events = events;
    void this.open(events);
  }

  send(message: Uint8Array, contents: Contents): void {
    if (!this.isReady) {
      this.events?.lost(contents);
      return;
    }
    this.slots.set(message, this.end * this.messageLimit);
    this.lengths[this.end] = message.length;
    this.contents[this.end] = contents;
    this.waitingBytes += message.length;
    this.end++;
    if (this.end % BATCH === 0) this.sendWaiting();
    else if (!this.isScheduled) {
      this.isScheduled = true;
      setImmediate(() => {
        this.isScheduled = false;
        this.sendWaiting();
      });
    }
  }

  renew(): void {
    // It goes on for as long as it is wanted.
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    const deadline = performance.now() + CLOSE_MS;
    this.sendWaiting();
    while (this.waitingBytes > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      this.sendWaiting();
    }
    this.sender?.close();
    this.sender = null;
  }

  /** Hands the kernel what waits; when it has no room, the rest goes later. */
  private sendWaiting(): void {
    const { sender } = this;
    if (sender === null) return;
    while (this.first < this.end) {
      const sent = sender.send(this.slots, this.messageLimit, this.lengths, this.first, this.end - this.first);
      if (sent < 0 && this.latest !== null && this.isOfEarlier(sender, sent)) {
        // This one was not tried.
        this.lose(this.latest, sent);
        this.latest = null;
        continue;
      }
      if (sent < 0 && isFull(sent)) {
        this.retry ??= setTimeout(() => {
          this.retry = null;
          this.sendWaiting();
        }, FULL_MS);
        return;
      }
      const done = Math.max(1, sent);
      const last = this.contents[this.first + done - 1] ?? null;
      if (sent > 0) this.latest = last;
      else if (last !== null) this.lose(last, sent);
      for (let i = 0; i < done; i++) this.waitingBytes -= this.lengths[this.first + i] ?? 0;
      this.first += done;
    }
    this.first = 0;
    this.end = 0;
    if (!this.isClosed && this.mtuOf(sender) < this.mtu) this.narrow(sender);
  }

  /** What the network answers to a datagram is told when the next one is sent. */
  private isOfEarlier(sender: DatagramSender, errno: number): boolean {
    const name = getSystemErrorName(errno);
    if (name !== 'EMSGSIZE') return name === 'ECONNREFUSED';
    return (this.lengths[this.first] ?? 0) <= this.limitOf(this.mtuOf(sender));
  }

  private limitOf(mtu: number): number {
    const limit = mtu - UDP_HEADER - (this.family === 4 ? IPV4_HEADER : IPV6_HEADER);
    // A multiple of four, so that there is always room for padding.
    return limit - (limit % 4);
  }

  private mtuOf(sender: DatagramSender): number {
    return Math.min(this.options.mtu, Math.max(LEAST_MTU, sender.pathMtu() || this.options.mtu));
  }

  /** The kernel has learned that the path takes only smaller packets: messages are made anew, for those. */
  private narrow(sender: DatagramSender): void {
    this.mtu = this.mtuOf(sender);
    this.slots = new Uint8Array(SLOTS * this.messageLimit);
    this.events?.down(new Error(`the path takes packets of ${this.mtu} octets only`));
    this.events?.up();
  }

  private lose(contents: Contents, errno: number): void {
    this.events?.lost(contents);
    this.events?.failed(new Error(reasonOf(errno)));
  }

  private async open(events: TransportEvents): Promise<void> {
    this.retry = null;
    try {
      const { host, port } = this.options;
      const { address, family } = await lookup(host);
      if (this.isClosed) return;
      this.family = family === 6 ? 6 : 4;
      const { DatagramSender } = loadAddon();
      // Connected, so that the kernel tells when nobody listens there.
      this.sender = new DatagramSender(address, port);
      this.mtu = this.mtuOf(this.sender);
      this.slots = new Uint8Array(SLOTS * this.messageLimit);
      events.up();
    } catch (error) {
      if (this.isClosed) return;
      events.down(error as Error);
      this.retry = setTimeout(() => void this.open(events), this.options.retryMs);
    }
  }
}

function isFull(errno: number): boolean {
  const name = getSystemErrorName(errno);
  return name === 'EAGAIN' || name === 'ENOBUFS';
}

function reasonOf(errno: number): string {
  const name = getSystemErrorName(errno);
  if (name === 'ECONNREFUSED') return `nobody listens there (${name})`;
  return name === 'EMSGSIZE' ? `the path takes only smaller packets (${name})` : name;
}
