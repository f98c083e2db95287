import type { ServerResponse } from 'node:http';
import type { EndReason, Sink, Subscribed } from '../stream/index.js';

/** What may wait in a connection's buffer before a client counts as slow. */
export const BUSY_BYTES = 1024 * 1024;

/** How one protocol frames what goes over an HTTP response that stays open. */
export interface Framing {
  readonly contentType: string;
  readonly start: string;
  frame(payload: Buffer): readonly (Buffer | string)[];
  readonly ping: string;
  end(reason: EndReason): string;
}

/** An event stream over an HTTP response. */
export class HttpSink implements Sink {
  constructor(
    private readonly response: ServerResponse,
    private readonly framing: Framing,
  ) {
    response.writeHead(200, { 'content-type': framing.contentType, 'x-accel-buffering': 'no' });
    response.flushHeaders();
    if (framing.start !== '') response.write(framing.start);
  }

  isBusy(): boolean {
    return this.#queuedBytes > BUSY_BYTES;
  }

  get sentBytes(): number {
    return (this.response.socket?.bytesWritten ?? 0) - this.#queuedBytes;
  }

  write(payload: Buffer): void {
    if (this.response.writableEnded) return;
    // Corked, so that the pieces leave in one system call.
    this.response.cork();
    for (const piece of this.framing.frame(payload)) this.response.write(piece);
    this.response.uncork();
  }

  ping(): void {
    if (!this.isBusy() && this.framing.ping !== '' && !this.response.writableEnded)
      this.response.write(this.framing.ping);
  }

  end(reason: EndReason): void {
    // A client that does not read gets no farewell: it would wait behind what it has not read.
    if (reason === 'TOO_SLOW') this.response.destroy();
    else if (!this.response.writableEnded) this.response.end(this.framing.end(reason));
  }

  get #queuedBytes(): number {
    return this.response.socket?.writableLength ?? 0;
  }
}

const PING_MS = 15_000;

/** The open event streams of all HTTP doors: keeps quiet ones alive, and leaves the hub when a client goes. */
export class OpenStreams {
  readonly #sinks = new Set<HttpSink>();
  readonly #timer: NodeJS.Timeout;

  constructor(pingMs = PING_MS) {
    this.#timer = setInterval(() => {
      for (const sink of this.#sinks) sink.ping();
    }, pingMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#sinks.size;
  }

  /** Opens a stream. `join` gives what to call when the client can take more, and when it has gone. */
  open(response: ServerResponse, framing: Framing, join: (sink: HttpSink) => Subscribed): void {
    const sink = new HttpSink(response, framing);
    const { drained, leave } = join(sink);
    this.#sinks.add(sink);
    response.on('drain', drained);
    response.once('close', () => {
      this.#sinks.delete(sink);
      leave();
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
