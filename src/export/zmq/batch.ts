/** The message with flows that is being filled. */
import type { FlowRecord } from '../record.js';
import type { Contents } from '../transport/transport.js';
import { Output } from '../wire.js';
import type { Payload } from './payload.js';

export interface BatchOptions {
  readonly payload: Payload;
  /** Octets of the largest payload. */
  readonly limit: number;
  readonly mostRecords: number;
}

export interface Sealed {
  readonly payload: Uint8Array;
  readonly contents: Contents;
}

/** Octets of a text: command lines are the longest. */
const LONGEST_TEXT = 1024;
/** When a record would not fit otherwise. */
const CUT_TEXT = 64;

export class Batch {
  private readonly out: Output;
  private flows = 0;
  private packets = 0;
  private octets = 0;
  /** When the first record came, in ms of Unix time. */
  sinceMs = 0;

  constructor(private readonly options: BatchOptions) {
    this.out = new Output(options.limit - options.payload.endLength);
  }

  get isEmpty(): boolean {
    return this.flows === 0;
  }

  /** @returns false when it has no room for the record: seal it, and try again */
  append(record: FlowRecord, nowMs: number): boolean {
    const { payload, mostRecords } = this.options;
    const { out } = this;
    if (this.flows >= mostRecords) return false;
    if (this.isEmpty) {
      out.offset = 0;
      payload.begin(out);
      this.sinceMs = nowMs;
    }
    const isWritten =
      payload.append(record, out, LONGEST_TEXT) || (this.isEmpty && payload.append(record, out, CUT_TEXT));
    if (!isWritten) return false;
    this.flows++;
    this.packets += record.packetsTold;
    this.octets += record.octetsTold;
    return true;
  }

  /** What was gathered; the next record begins anew. */
  seal(): Sealed {
    const { out, flows, packets, octets } = this;
    // The end has room of its own.
    const message = new Uint8Array(out.offset + this.options.payload.endLength);
    message.set(out.bytes.subarray(0, out.offset));
    this.options.payload.end(message, out.offset);
    this.flows = 0;
    this.packets = 0;
    this.octets = 0;
    return { payload: message, contents: { flows, packets, octets, length: message.length } };
  }
}
