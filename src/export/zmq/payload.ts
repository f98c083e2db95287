/** The second part of a message with flows: records one after the other. */
import type { FlowRecord } from '../record.js';
import type { Output } from '../wire.js';

export interface Payload {
  /** Octets that {@link end} writes. */
  readonly endLength: number;
  begin(out: Output): void;
  /**
   * Adds what is known of a record.
   * @param longest no text has more octets
   * @returns false when there is no room: nothing was written then
   */
  append(record: FlowRecord, out: Output, longest: number): boolean;
  /** Writes what comes behind the last record. */
  end(message: Uint8Array, offset: number): void;
}
