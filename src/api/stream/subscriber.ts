/** Where one subscriber's bytes go: a WebSocket operation or an HTTP response. */
export interface Sink {
  write(payload: Buffer): void;
  /** More is waiting to be sent than should be: nothing further is given to it until it has drained. */
  isBusy(): boolean;
  /** Bytes that have left for the network; while it grows, the client reads. */
  readonly sentBytes: number;
  /** Ends the stream; what the client is told depends on its protocol. */
  end(reason: EndReason): void;
}

/** Why a stream is ended by us: the agent stops, or the client has not read for too long. */
export type EndReason = 'SHUTDOWN' | 'TOO_SLOW';

/** The events of one window, rendered once for all that see the same. */
export interface Batch {
  readonly payload: Buffer;
  readonly events: number;
}

export interface SubscriberOptions {
  /** Events kept while the client does not read. */
  readonly bufferEvents: number;
  /** A client that is sent nothing for so long although something waits is given up. */
  readonly stuckMs: number;
  /** How the client is told that it lost events. */
  renderDropped(count: number): Buffer;
  onDropped(count: number): void;
  readonly clockMs: () => number;
}

/** One subscriber: passes batches on, keeps a bounded number while the client is slow, drops the oldest and tells. */
export class Subscriber {
  readonly #waiting: Batch[] = [];
  #waitingEvents = 0;
  #dropped = 0;
  #lastSent = 0;
  #lastProgressMs: number;

  constructor(
    readonly sink: Sink,
    private readonly options: SubscriberOptions,
  ) {
    this.#lastProgressMs = options.clockMs();
  }

  deliver(batch: Batch): void {
    if (this.#waiting.length === 0 && this.#dropped === 0 && !this.sink.isBusy()) {
      this.sink.write(batch.payload);
      return;
    }
    this.#waiting.push(batch);
    this.#waitingEvents += batch.events;
    while (this.#waitingEvents > this.options.bufferEvents) this.#dropOldest();
    this.drained();
  }

  /** To be called when the sink has sent what waited in it. */
  drained(): void {
    if (this.#waiting.length === 0 && this.#dropped === 0) return;
    if (this.sink.isBusy()) return;
    // The lost ones came before those that wait, and so does the word of them.
    if (this.#dropped > 0) {
      this.sink.write(this.options.renderDropped(this.#dropped));
      this.#dropped = 0;
    }
    while (!this.sink.isBusy()) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      this.#waitingEvents -= batch.events;
      this.sink.write(batch.payload);
    }
  }

  /** Ends the stream when its client has stopped reading. To be called now and then. */
  checkProgress(): void {
    const nowMs = this.options.clockMs();
    const { sentBytes } = this.sink;
    if (!this.sink.isBusy() || sentBytes !== this.#lastSent) {
      this.#lastSent = sentBytes;
      this.#lastProgressMs = nowMs;
      return;
    }
    if (nowMs - this.#lastProgressMs >= this.options.stuckMs) this.sink.end('TOO_SLOW');
  }

  #dropOldest(): void {
    const batch = this.#waiting.shift();
    if (batch === undefined) return;
    this.#waitingEvents -= batch.events;
    this.#dropped += batch.events;
    this.options.onDropped(batch.events);
  }
}
