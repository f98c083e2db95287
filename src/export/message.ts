/** Builds messages of sets of records. Knows nothing of flows, nor of who gets them. */
import type { Format, MessageFacts } from './format.js';
import { Output } from './wire.js';

const SET_HEADER = 4;
const NO_SET = -1;

export class MessageBuilder {
  readonly out: Output;
  private setId = NO_SET;
  private setStart = 0;
  /** Shortest record that the open set can have. */
  private shortest = 0;
  private inSet = 0;
  /** Records of all kinds so far. */
  records = 0;
  dataRecords = 0;

  constructor(
    private readonly format: Format,
    /** Octets of the largest message. */
    limit: number,
  ) {
    this.out = new Output(limit);
    this.out.offset = format.headerLength;
  }

  get isEmpty(): boolean {
    return this.records === 0;
  }

  /** Octets of records that fit into a message that has nothing else. */
  get roomForRecords(): number {
    return this.out.limit - this.format.headerLength - SET_HEADER;
  }

  /**
   * Makes ready for a record of a set: what follows is written to `out`, then {@link done} or {@link undo} is called.
   * @param atLeast octets of the record, as far as known
   * @returns false when it does not fit
   */
  begin(setId: number, atLeast: number): boolean {
    const { out } = this;
    if (setId === this.setId) return out.room >= atLeast;
    this.endSet();
    if (out.room < SET_HEADER + atLeast) return false;
    this.setId = setId;
    this.setStart = out.offset;
    this.shortest = atLeast;
    this.inSet = 0;
    out.u16(setId);
    out.u16(0);
    return true;
  }

  done(isData: boolean): void {
    this.inSet++;
    this.records++;
    if (isData) this.dataRecords++;
  }

  /** The record did not fit after all, and `out.offset` is where it was: a set without records is none. */
  undo(): void {
    if (this.inSet > 0 || this.setId === NO_SET) return;
    this.out.offset = this.setStart;
    this.setId = NO_SET;
  }

  /** Finishes the message. It stays valid until the next record is begun, after {@link clear}. */
  seal(facts: Omit<MessageFacts, 'length' | 'records'>): Uint8Array {
    this.endSet();
    const { out } = this;
    this.format.writeHeader(out.view, { ...facts, length: out.offset, records: this.records });
    return out.bytes.subarray(0, out.offset);
  }

  clear(): void {
    this.out.offset = this.format.headerLength;
    this.setId = NO_SET;
    this.records = 0;
    this.dataRecords = 0;
  }

  /** The next record begins a set of its own. */
  endSet(): void {
    if (this.setId === NO_SET) return;
    const { out } = this;
    const padding = this.format.padding(out.offset - this.setStart, this.shortest);
    // Without room for it: padding is asked for only where it can be had.
    out.zeros(Math.min(padding, out.room));
    out.view.setUint16(this.setStart + 2, out.offset - this.setStart);
    this.setId = NO_SET;
  }
}
