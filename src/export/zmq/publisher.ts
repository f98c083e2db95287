/**
 * The socket. A PUB socket drops what a subscriber is too slow for, and tells nobody; an XPUB socket, which subscribers
 * cannot tell from it, tells, and passes on who subscribes to what.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Event, XPublisher } from 'zeromq';
import type { Topic } from './header.js';
import { Subscriptions } from './subscriptions.js';

export interface PublisherOptions {
  readonly endpoint: string;
  readonly mode: 'BIND' | 'CONNECT';
  /** ntopng's public key in Z85; null for no encryption. */
  readonly encryptionKey: string | null;
  /** Messages that may wait for one subscriber. */
  readonly highWaterMark: number;
  /** Octets that may wait before that. */
  readonly queueBytes: number;
  /** Longest time from one attempt to bind or connect to the next. */
  readonly retryMs: number;
}

export interface PublisherEvents {
  /** Somebody subscribed. */
  subscribed(topic: Topic): void;
  /** Who wants what has changed. */
  changed(): void;
  failed(error: Error): void;
}

interface Waiting {
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  readonly lost: () => void;
}

const FIRST_RETRY_MS = 1000;
/**
 * Bursts are waited for, so that libzmq's own thread can send them; but no more than a tenth of the time, or a slow
 * subscriber would take it from the others.
 */
const WAIT_MS = 2;
const WAITS_PER_SECOND = 50;
const LINGER_MS = 1000;
/** A subscriber whose host is gone is noticed within about half a minute, as ntopng has it for its own end. */
const KEEPALIVE = { tcpKeepalive: 1, tcpKeepaliveIdle: 30, tcpKeepaliveCount: 3, tcpKeepaliveInterval: 3 };
const GONE_MS = 30_000;
/** One is as many as there is work for. */
const EVENT_TEXTS: Partial<Record<Event['type'], string>> = {
  'connect:retry': 'nobody takes connections there',
  'handshake:error:protocol': 'a subscriber and this end disagree on encryption',
  'handshake:error:auth': 'a subscriber refused the connection',
  'handshake:error:other': 'a subscriber closed the connection before it was agreed on: is the key right?',
};

export class Publisher {
  private readonly subscriptions = new Subscriptions();
  private socket: XPublisher | null = null;
  private readonly queue: Waiting[] = [];
  private waitingBytes = 0;
  private pumping: Promise<void> | null = null;
  /** The second, and how often somebody was waited for in it. */
  private waits = { second: 0, count: 0 };
  private readonly closing = new AbortController();

  constructor(
    private readonly options: PublisherOptions,
    private readonly events: PublisherEvents,
  ) {}

  get queuedBytes(): number {
    return this.waitingBytes;
  }

  /** Never rejects; tries until it is closed. */
  async start(): Promise<void> {
    try {
      const socket = await this.makeSocket();
      if (this.closing.signal.aborted) {
        socket.close();
        return;
      }
      this.socket = socket;
      void this.watch(socket);
      void this.readSubscriptions(socket);
      if (this.options.mode === 'CONNECT') socket.connect(this.options.endpoint);
      else await this.bind(socket);
    } catch (error) {
      if (!this.closing.signal.aborted) this.events.failed(error as Error);
    }
  }

  wants(topic: Topic): boolean {
    return this.subscriptions.wants(topic);
  }

  /** Takes over both parts. `lost` is called when they do not get to all who want them. */
  send(header: Uint8Array, payload: Uint8Array, lost: () => void): void {
    if (this.socket === null || this.waitingBytes + payload.length > this.options.queueBytes) {
      lost();
      return;
    }
    this.queue.push({ header, payload, lost });
    this.waitingBytes += payload.length;
    this.pumping ??= this.pump(this.socket);
  }

  /** Hands over what waits; what the network does not take soon after is lost. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.race([this.pumping, delay(LINGER_MS)]);
    this.socket?.close();
    this.socket = null;
    this.subscriptions.clear();
  }

  private async makeSocket(): Promise<XPublisher> {
    // Only now: most agents do without it.
    const { curveKeyPair, XPublisher } = await import('zeromq');
    const { encryptionKey, highWaterMark, retryMs } = this.options;
    const socket = new XPublisher({
      ...{ noDrop: true, verbosity: 'allSubsUnsubs', sendTimeout: 0, sendHighWaterMark: highWaterMark },
      ...{ linger: LINGER_MS, ipv6: true, ...KEEPALIVE, tcpMaxRetransmitTimeout: GONE_MS },
      ...{ reconnectInterval: Math.min(FIRST_RETRY_MS, retryMs), reconnectMaxInterval: retryMs },
    });
    if (encryptionKey !== null) {
      // ntopng is the server of CURVE, whoever connects; nobody need know this end's keys.
      const { publicKey, secretKey } = curveKeyPair();
      socket.curveServerKey = encryptionKey;
      socket.curvePublicKey = publicKey;
      socket.curveSecretKey = secretKey;
    }
    return socket;
  }

  private async bind(socket: XPublisher): Promise<void> {
    while (!this.closing.signal.aborted) {
      try {
        await socket.bind(this.options.endpoint);
        return;
      } catch (error) {
        this.events.failed(error as Error);
        await delay(this.options.retryMs, undefined, { signal: this.closing.signal });
      }
    }
  }

  /** One after the other, so that the order of messages stays. */
  private async pump(socket: XPublisher): Promise<void> {
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      const { header, payload, lost } = next;
      try {
        await this.publish(socket, [header, payload], lost);
      } catch (error) {
        lost();
        if (!this.closing.signal.aborted) this.events.failed(error as Error);
      }
      this.queue.shift();
      this.waitingBytes -= payload.length;
    }
    this.pumping = null;
  }

  /** Sends to all who want it and have room; `lost` tells that somebody had none. */
  private async publish(socket: XPublisher, parts: Uint8Array[], lost: () => void): Promise<void> {
    while (!(await trySend(socket, parts))) {
      if (this.mayWait()) {
        await delay(WAIT_MS);
        continue;
      }
      lost();
      setNoDrop(socket, false);
      try {
        await socket.send(parts);
      } finally {
        setNoDrop(socket, true);
      }
      return;
    }
  }

  private mayWait(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.waits.second) this.waits = { second, count: 0 };
    return this.waits.count++ < WAITS_PER_SECOND;
  }

  private async readSubscriptions(socket: XPublisher): Promise<void> {
    try {
      for await (const [message] of socket) {
        if (message === undefined) continue;
        for (const topic of this.subscriptions.take(message)) this.events.subscribed(topic);
        this.events.changed();
      }
    } catch (error) {
      if (!this.closing.signal.aborted) this.events.failed(error as Error);
    }
  }

  private async watch(socket: XPublisher): Promise<void> {
    for await (const event of socket.events) {
      const text = EVENT_TEXTS[event.type];
      if (text !== undefined && !this.closing.signal.aborted) this.events.failed(new Error(text));
    }
  }
}

/** @returns false when somebody who wants it has no room: nobody was sent it then */
async function trySend(socket: XPublisher, parts: Uint8Array[]): Promise<boolean> {
  try {
    await socket.send(parts);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}

/** The binding warns that it comes too late for an open socket; libzmq takes this option at once. */
function setNoDrop(socket: XPublisher, value: boolean): void {
  const warn = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = () => undefined;
  try {
    socket.noDrop = value;
  } finally {
    if (warn !== undefined) Object.defineProperty(process, 'emitWarning', warn);
  }
}
