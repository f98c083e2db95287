/** What the two formats, IPFIX and NetFlow v9, do differently. */
import type { Element } from './element.js';
import type { Field } from './template.js';
import type { Output } from './wire.js';

/** What a message's header tells. */
export interface MessageFacts {
  /** Octets of the whole message. */
  readonly length: number;
  /** Records of all kinds: templates, too. */
  readonly records: number;
  readonly sequence: number;
  readonly exportMs: number;
  /** Start of the 32 bits of ms that uptimes are counted in. */
  readonly zeroMs: number;
  readonly domain: number;
}

/** A kind of options records: what they are about, and what they tell. */
export interface OptionsTemplate {
  readonly id: number;
  readonly scope: readonly Field[];
  readonly fields: readonly Field[];
}

export interface Format {
  readonly name: 'IPFIX' | 'NETFLOW_V9';
  readonly headerLength: number;
  readonly templateSet: number;
  readonly optionsTemplateSet: number;
  writeHeader(view: DataView, facts: MessageFacts): void;
  /** Octets that {@link writeTemplate} takes. */
  templateLength(fields: readonly Field[]): number;
  writeTemplate(out: Output, id: number, fields: readonly Field[]): void;
  optionsTemplateLength(template: OptionsTemplate): number;
  writeOptionsTemplate(out: Output, template: OptionsTemplate): void;
  /** Zeros to put behind the records of a set, of which the shortest possible takes `shortest` octets. */
  padding(setLength: number, shortest: number): number;
  /** The sequence number that follows on a message with that many data records. */
  nextSequence(sequence: number, dataRecords: number): number;
  /** Whether the format can tell of the element. */
  has(element: Element): boolean;
  /** The length that a field has by default. */
  lengthOf(element: Element): number;
}
