/** What a template is to tell, as nProbe's `-T` has it: `%IPV4_SRC_ADDR %IN_BYTES @PROCESS@ %SRC_PROC_NAME:32`. */
import { ProcflowError } from '../errors.js';
import { didYouMean, printable } from '../text.js';
import { PEN, reverseOf, type Element } from './element.js';
import { elementNamed, elementNames } from './elements.js';
import type { Format } from './format.js';
import { MACROS } from './macros.js';
import type { Field } from './template.js';

export interface Item {
  readonly element: Element;
  /** Octets that a text takes in every record; null for the format's own way. */
  readonly fixedLength: number | null;
}

/** How many records tell of an interval of a flow. */
export type Shape =
  /** One for each direction that had packets. */
  | 'uniflow'
  /** One, with reverse elements (RFC 5103). */
  | 'biflow'
  /** One, with OUT_BYTES and OUT_PKTS, as nProbe does it. */
  | 'both';

export interface Specification {
  readonly items: readonly Item[];
  readonly shape: Shape;
}

const MAX_TEXT = 4096;
/** One specification gives addresses of either IP version. */
const VERSIONS: readonly (readonly [string, string])[] = [
  ['IPV4_SRC_ADDR', 'IPV6_SRC_ADDR'],
  ['IPV4_DST_ADDR', 'IPV6_DST_ADDR'],
  ['EXPORTER_IPV4_ADDRESS', 'EXPORTER_IPV6_ADDRESS'],
];

/**
 * Reads a specification. What is named twice counts once.
 * @throws ProcflowError CONFIG_INVALID for a name that is not known, with the nearest one that is
 */
export function parseSpecification(text: string, biflow = false): Specification {
  const items = new Map<Element, Item>();
  for (const item of expand(text)) {
    for (const element of bothVersions(item.element)) {
      if (!items.has(element)) items.set(element, { ...item, element });
    }
  }
  if (items.size === 0) throw invalid('a template needs at least one element, such as %IN_BYTES');
  const list = [...items.values()];
  const hasBoth = list.some(({ element: { name } }) => name === 'OUT_BYTES' || name === 'OUT_PKTS');
  if (hasBoth) return { items: list, shape: 'both' };
  return { items: list, shape: biflow ? 'biflow' : 'uniflow' };
}

function* expand(text: string): Generator<Item> {
  for (const word of text.split(/\s+/)) {
    if (word === '') continue;
    const macro = /^@(.*)@$/.exec(word)?.[1];
    if (macro !== undefined) yield* expand(macroOf(macro));
    else yield itemOf(word);
  }
}

function macroOf(name: string): string {
  const upper = name.toUpperCase();
  const found = Object.hasOwn(MACROS, upper) ? MACROS[upper] : undefined;
  if (found === undefined)
    throw invalid(`there is no macro @${printable(name)}@${didYouMean(name, Object.keys(MACROS))}`);
  return found;
}

function itemOf(word: string): Item {
  const match = /^%([^:]+)(?::(\d{1,5}))?$/.exec(word);
  const name = match?.[1];
  if (name === undefined) {
    throw invalid(`"${printable(word)}" is no element: write %NAME, %NAME:LENGTH for a text, or @MACRO@`);
  }
  const element = elementNamed(name);
  if (element === undefined) {
    throw invalid(`there is no element "${printable(name)}"${didYouMean(name, elementNames())}`);
  }
  if (match?.[2] === undefined) return { element, fixedLength: null };
  const fixedLength = Number(match[2]);
  if (element.dataType !== 'string') throw invalid(`%${name} is no text: its length is ${element.length}`);
  if (fixedLength < 2 || fixedLength > MAX_TEXT) throw invalid(`%${name}: its length is from 2 to ${MAX_TEXT} octets`);
  return { element, fixedLength };
}

function bothVersions(element: Element): readonly Element[] {
  const pair = VERSIONS.find((names) => names.includes(element.name));
  if (pair === undefined) return [element];
  return pair.map(elementNamed).filter((known) => known !== undefined);
}

function invalid(message: string): ProcflowError {
  return new ProcflowError('CONFIG_INVALID', message);
}

/** The fields of a specification in a format, in its order; a record's template has those of them that are known. */
export function fieldsOf({ items, shape }: Specification, format: Format): readonly Field[] {
  const fields: Field[] = [];
  const add = (element: Element | null | undefined, fixedLength: number | null = null): void => {
    if (element === null || element === undefined || !format.has(element)) return;
    if (fields.some((field) => field.element === element)) return;
    fields.push({ element, length: fixedLength ?? format.lengthOf(element) });
  };
  for (const { element, fixedLength } of items) add(inFormat(element, format), fixedLength);
  const elements = fields.map(({ element }) => element);
  if (format.name === 'NETFLOW_V9' && elements.some(isAddress)) add(elementNamed('IP_PROTOCOL_VERSION'));
  // Reverse elements mean nothing where no key tells the direction (RFC 5103 4).
  if (shape === 'biflow' && format.name === 'IPFIX' && elements.some(isDirectional)) {
    for (const element of elements) add(reverseOf(element));
    add(elementNamed('biflowDirection'));
  }
  return fields;
}

/** A format that cannot tell of the other direction gets a record for each. */
export function shapeIn({ shape }: Specification, fields: readonly Field[]): Shape {
  return shape === 'biflow' && !fields.some(({ element }) => element.pen === PEN.reverse) ? 'uniflow' : shape;
}

/** IPFIX has times that need no boot time beside them. */
const IPFIX_TIMES: Readonly<Record<string, string>> = {
  FIRST_SWITCHED: 'flowStartMilliseconds',
  LAST_SWITCHED: 'flowEndMilliseconds',
};

function inFormat(element: Element, { name }: Format): Element | undefined {
  const instead = name === 'IPFIX' ? IPFIX_TIMES[element.name] : undefined;
  return instead === undefined ? element : elementNamed(instead);
}

function isAddress({ dataType, isKey }: Element): boolean {
  return isKey && (dataType === 'ipv4Address' || dataType === 'ipv6Address');
}

function isDirectional({ ipfixName, isKey }: Element): boolean {
  return isKey && /source|destination/i.test(ipfixName);
}
