/** A transport that keeps what it is given. */
import type { Contents, Transport, TransportEvents } from '../../src/export/transport/transport.js';

export class MemoryTransport implements Transport {
  readonly name = 'UDP';
  readonly messages: Buffer[] = [];
  readonly contents: Contents[] = [];
  isReady = true;
  isFull = false;
  readonly queuedBytes = 0;
  isClosed = false;

  constructor(
    readonly isReliable = false,
    public messageLimit = 1472,
  ) {}

  start(events: TransportEvents): void {
    events.up();
  }

  send(message: Uint8Array, contents: Contents): void {
    this.messages.push(Buffer.from(message));
    this.contents.push(contents);
  }

  renew(): void {
    this.isFull = false;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
