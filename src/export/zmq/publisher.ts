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
/** What subscribers send is a hundred octets at most; what is longer disconnects them. */
const MOST_RECEIVED = 512;
/** There is a handful of subscribers. */
const MOST_CONNECTIONS = 256;
const HANDSHAKE_MS = 5000;
/** From one opening of the socket to the next. */
const REOPEN_MS = 1000;
/** A subscriber whose host is gone is noticed within about half a minute, as ntopng has it for its own end. */
const KEEPALIVE = { tcpKeepalive: 1, tcpKeepaliveIdle: 30, tcpKeepaliveCount: 3, tcpKeepaliveInterval: 3 };
const GONE_MS = 30_000;
/** The same trouble is told no more often than this. */
const TROUBLE_MS = 10_000;
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
  /** Whether the end that was connected to has gone: what it had subscribed to waits for it. */
  private isAway = false;
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
    const { signal } = this.closing;
    while (!signal.aborted) {
      const openedMs = performance.now();
      try {
        await this.serve(await this.makeSocket());
      } catch (error) {
        this.failed(error as Error);
      }
      await delay(openedMs + REOPEN_MS - performance.now(), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether somebody takes flows now. */
  get isUp(): boolean {
    return !this.isAway && this.subscriptions.wants('flow');
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
    this.pumping ??= this.pump();
  }

  /** Hands over what waits; what the network does not take soon after is lost. */
  async close(): Promise<void> {
    this.closing.abort();
    await Promise.race([this.pumping, delay(LINGER_MS)]);
    this.socket?.close();
    this.leave();
  }

  /** Until it is to be opened anew, or is closed. */
  private async serve(socket: XPublisher): Promise<void> {
    const { mode, endpoint } = this.options;
    try {
      if (this.closing.signal.aborted) return;
      this.socket = socket;
      const watching = this.watch(socket);
      // It is waited for only when the socket is bound.
      watching.catch(() => undefined);
      if (mode === 'CONNECT') socket.connect(endpoint);
      else await this.bind(socket);
      await Promise.race([this.readSubscriptions(socket), watching]);
    } finally {
      this.leave();
      await retire(socket);
    }
  }

  private failed(error: Error): void {
    if (!this.closing.signal.aborted) this.events.failed(error);
  }

  private away(): void {
    this.isAway = true;
    this.events.changed();
  }

  private leave(): void {
    this.socket = null;
    this.isAway = false;
    this.subscriptions.clear();
    this.events.changed();
  }

  private async makeSocket(): Promise<XPublisher> {
    // Only now: most agents do without it.
    const { curveKeyPair, XPublisher } = await import('zeromq');
    const { encryptionKey, highWaterMark, retryMs } = this.options;
    const socket = new XPublisher({
      ...{ noDrop: true, verbosity: 'allSubs', sendTimeout: 0, sendHighWaterMark: highWaterMark },
      // libzmq reads as long as there is something to read, in this thread: so there must never be more than one.
      ...{ receiveHighWaterMark: 1, maxMessageSize: MOST_RECEIVED, handshakeInterval: HANDSHAKE_MS },
      ...{ linger: LINGER_MS, ipv6: hasIpv6(this.options), ...KEEPALIVE, tcpMaxRetransmitTimeout: GONE_MS },
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
        this.failed(bindError(this.options.endpoint, error as NodeJS.ErrnoException));
        await delay(this.options.retryMs, undefined, { signal: this.closing.signal });
      }
    }
  }

  /** One after the other, so that the order of messages stays. */
  private async pump(): Promise<void> {
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      const { header, payload } = next;
      const { socket } = this;
      const lost = once(next.lost);
      try {
        if (socket === null) lost();
        else await this.publish(socket, [header, payload], lost);
      } catch (error) {
        lost();
        if (this.socket === socket) this.failed(error as Error);
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

  /** @returns when it is not certain any more who wants what, or somebody must be got rid of: all shall come anew */
  private async readSubscriptions(socket: XPublisher): Promise<void> {
    for await (const [message] of socket) {
      if (message === undefined) continue;
      const { subscribed, isUncertain, isTooMuch } = this.subscriptions.take(message, performance.now());
      for (const topic of subscribed) this.events.subscribed(topic);
      if (subscribed.length > 0) this.isAway = false;
      this.events.changed();
      if (isTooMuch) throw new Error('a subscriber sends more than ntopng does: all were disconnected');
      // Of a connection there is only one other end, which knows what it does.
      if (isUncertain && this.options.mode === 'BIND') return;
    }
  }

  /** Tells of trouble. @throws when there are too many connections, of which each takes a descriptor */
  private async watch(socket: XPublisher): Promise<void> {
    let connections = 0;
    const toldMs = new Map<string, number>();
    for await (const { type } of socket.events) {
      if (type === 'accept') connections++;
      if (type === 'disconnect') connections--;
      if (this.socket !== socket) continue;
      if (type === 'disconnect' && this.options.mode === 'CONNECT') this.away();
      if (connections > MOST_CONNECTIONS) throw new Error(`more than ${MOST_CONNECTIONS} connections: all were closed`);
      const text = EVENT_TEXTS[type];
      const now = performance.now();
      if (text === undefined || now - (toldMs.get(type) ?? -Infinity) < TROUBLE_MS) continue;
      toldMs.set(type, now);
      this.failed(new Error(text));
    }
  }
}

/** With it the name of an interface would be its IPv6 address alone. */
function hasIpv6({ mode, endpoint }: PublisherOptions): boolean {
  return mode === 'CONNECT' || /^tcp:\/\/[*[]/.test(endpoint);
}

function bindError(endpoint: string, error: NodeJS.ErrnoException): Error {
  // What it cannot make an address of is told as if it were busy.
  const text =
    error.code === 'EAGAIN' ? 'no address or interface of this host; to connect, put a c at the end' : error.message;
  return new Error(`${endpoint}: ${text}`, { cause: error });
}

function once(work: () => void): () => void {
  let left: (() => void) | null = work;
  return () => {
    left?.();
    left = null;
  };
}

/** Lets go of the endpoint before others, or this end, bind to it again. */
async function retire(socket: XPublisher): Promise<void> {
  const endpoint = socket.lastEndpoint;
  if (socket.closed) return;
  if (endpoint !== null) await socket.unbind(endpoint).catch(() => undefined);
  socket.close();
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
