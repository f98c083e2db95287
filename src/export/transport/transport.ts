/** How messages get to a collector. A transport knows nothing of what is in them. */

/** What is lost when a message is. */
export interface Contents {
  /** Flow records. */
  readonly flows: number;
  /** IP packets and octets that they tell of. */
  readonly packets: number;
  readonly octets: number;
  /** Octets of the message. */
  readonly length: number;
}

export interface TransportEvents {
  /** Messages are taken; on a reliable transport, by somebody who knows nothing yet. */
  up(): void;
  /** Nothing is taken, and why not; null when that is as it should be. */
  down(error: Error | null): void;
  /** Something went wrong that does not end it. */
  failed(error: Error): void;
  /** A message that was taken will not get there, as far as this host can know. */
  lost(contents: Contents): void;
}

export interface Transport {
  readonly name: 'UDP' | 'TCP' | 'TLS' | 'FILE';
  /** Nothing is lost or reordered while it is up, and a new connection begins from nothing. */
  readonly isReliable: boolean;
  /** Octets of the largest message. */
  readonly messageLimit: number;
  /** Whether a message should be given to it: it is up, and its queue has room. */
  readonly isReady: boolean;
  /** Octets that wait. */
  readonly queuedBytes: number;
  start(events: TransportEvents): void;
  /** Takes a copy of the message; what cannot be sent is told to be lost. */
  send(message: Uint8Array, contents: Contents): void;
  /** Whether the next session should begin: see `renew`. */
  readonly isFull: boolean;
  /** Ends the session in order and begins the next. */
  renew(): void;
  /** Sends what waits and closes in order, within a bounded time. */
  close(): Promise<void>;
}
