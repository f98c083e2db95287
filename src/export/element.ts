/** What an information element is (RFC 7012, RFC 3954). */
import type { FlowRecord } from './record.js';

/** Private enterprise numbers: 0 is IANA's own registry; the reverse elements of RFC 5103; ntop's. */
export const PEN = { iana: 0, reverse: 29305, ntop: 35632 } as const;

/** NetFlow v9 has no enterprise numbers: ntop's elements have types from here on. */
export const NTOP_V9_BASE = 57472;

/** Abstract data types, with their numbers in informationElementDataType (RFC 5610). */
export const DATA_TYPE = {
  unsigned8: 1,
  unsigned16: 2,
  unsigned32: 3,
  unsigned64: 4,
  string: 13,
  dateTimeSeconds: 14,
  dateTimeMilliseconds: 15,
  dateTimeMicroseconds: 16,
  dateTimeNanoseconds: 17,
  ipv4Address: 18,
  ipv6Address: 19,
} as const;
export type DataType = keyof typeof DATA_TYPE;

/** informationElementSemantics. */
export const SEMANTICS = {
  default: 0,
  quantity: 1,
  totalCounter: 2,
  deltaCounter: 3,
  identifier: 4,
  flags: 5,
} as const;
export type Semantics = keyof typeof SEMANTICS;

/** informationElementUnits. */
export const UNITS = { none: 0, octets: 2, packets: 3, flows: 4, seconds: 5, milliseconds: 6, messages: 10 } as const;
export type Units = keyof typeof UNITS;

/** Where the value of an element is in a {@link FlowRecord}; `reverse` is its counterpart of the other direction. */
export type Place =
  | { readonly kind: 'number'; readonly index: number; readonly reverse?: number }
  | { readonly kind: 'text'; readonly index: number };

export interface Element {
  readonly pen: number;
  /** Within its enterprise, without the enterprise bit. */
  readonly id: number;
  /** As nProbe and NetFlow v9 spell it; the IPFIX name when they have no other. */
  readonly name: string;
  /** As IANA's registry spells it; the same as `name` for ntop's. */
  readonly ipfixName: string;
  readonly dataType: DataType;
  /** Octets on the wire; for a string the fixed length that it has in NetFlow v9, its ending zero included. */
  readonly length: number;
  readonly units: Units;
  readonly semantics: Semantics;
  /** Null when nothing measures it: it may be named, and is left out. */
  readonly place: Place | null;
  /** Part of what identifies a flow (RFC 7011 4.4). */
  readonly isKey: boolean;
  /** A time that NetFlow v9 counts in ms since the device's boot. */
  readonly isUptime: boolean;
  readonly description: string;
  /** Which field of the data model it tells; for documentation. */
  readonly source: string;
}

/** Its type in NetFlow v9, which is also ntop's numeric key in JSON. */
export function v9Type({ pen, id }: Element): number {
  return pen === PEN.ntop ? NTOP_V9_BASE + id : id;
}

/** The value of an element as JSON has it; null when it is unknown. Times are in the element's own unit. */
export function valueOf({ place, dataType }: Element, record: FlowRecord): number | string | null {
  if (place === null) return null;
  if (place.kind === 'text') return record.texts[place.index] ?? null;
  const value = record.numbers[place.index] ?? NaN;
  if (Number.isNaN(value)) return null;
  if (dataType === 'dateTimeSeconds') return Math.floor(value / 1e6);
  return dataType === 'dateTimeMilliseconds' ? Math.floor(value / 1e3) : value;
}

/** The element of the other direction (RFC 5103); null when there is none. */
export function reverseOf(element: Element): Element | null {
  if (element.place?.kind !== 'number' || element.place.reverse === undefined || element.pen !== PEN.iana) return null;
  const capital = `${element.ipfixName.charAt(0).toUpperCase()}${element.ipfixName.slice(1)}`;
  return {
    ...element,
    pen: PEN.reverse,
    name: `reverse${capital}`,
    ipfixName: `reverse${capital}`,
    place: { kind: 'number', index: element.place.reverse },
    description: `${element.description} Of the other direction.`,
  };
}
