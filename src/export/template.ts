/** Templates, and the encoder that is compiled for each: a list of steps that one loop carries out for every record. */
import type { Element } from './element.js';
import type { FlowRecord } from './record.js';
import {
  addressOctets,
  cutLength,
  TextBytes,
  utf8,
  writeNtp,
  writeU16,
  writeU32,
  writeU64,
  type Output,
} from './wire.js';

/** Field length of a variable-length text (RFC 7011 7). */
export const VARIABLE = 65535;

/** An element as a template has it. */
export interface Field {
  readonly element: Element;
  /** In octets, or {@link VARIABLE}. */
  readonly length: number;
}

/** What a step writes. A const enum, so that the encoder's switch is over literals: it becomes a table of jumps. */
const enum Step {
  u8,
  u16,
  u32,
  u64,
  seconds,
  milliseconds,
  ntpMicroseconds,
  ntpNanoseconds,
  uptime,
  ipv4,
  ipv6,
  variableText,
  fixedText,
}

export class Template {
  /** As few octets as a record can have. */
  readonly minimumLength: number;
  readonly variableTexts: number;
  /** What to do for each field, with which place of the record, and in how many octets. */
  readonly steps: readonly Step[];
  readonly places: Int32Array;
  readonly lengths: Int32Array;
  /** Whether the collector was told of it. */
  isAnnounced = false;

  constructor(
    readonly id: number,
    readonly fields: readonly Field[],
  ) {
    this.minimumLength = minimumLength(fields);
    this.variableTexts = fields.filter(({ length }) => length === VARIABLE).length;
    this.steps = fields.map(stepOf);
    this.places = Int32Array.from(fields, ({ element }) => element.place?.index ?? 0);
    this.lengths = Int32Array.from(fields, ({ length }) => length);
  }

  /** Bit n is set when the n-th field is part of the flow key; the first 64 fields can be told (RFC 7011 4.4). */
  get keyBits(): bigint {
    return this.fields
      .slice(0, 64)
      .reduce((bits, { element }, n) => (element.isKey ? bits | (1n << BigInt(n)) : bits), 0n);
  }
}

/** As few octets as a record of these fields can have. */
export function minimumLength(fields: readonly Field[]): number {
  return fields.reduce((sum, { length }) => sum + (length === VARIABLE ? 1 : length), 0);
}

function stepOf({ element, length }: Field): Step {
  const { dataType, isUptime } = element;
  if (isUptime) return Step.uptime;
  switch (dataType) {
    case 'unsigned8':
    case 'unsigned16':
    case 'unsigned32':
    case 'unsigned64':
      return integerStep(length);
    case 'dateTimeSeconds':
      return Step.seconds;
    case 'dateTimeMilliseconds':
      return Step.milliseconds;
    case 'dateTimeMicroseconds':
      return Step.ntpMicroseconds;
    case 'dateTimeNanoseconds':
      return Step.ntpNanoseconds;
    case 'ipv4Address':
      return Step.ipv4;
    case 'ipv6Address':
      return Step.ipv6;
    case 'string':
      return length === VARIABLE ? Step.variableText : Step.fixedText;
  }
}

function integerStep(length: number): Step {
  return length === 1 ? Step.u8 : length === 2 ? Step.u16 : length === 4 ? Step.u32 : Step.u64;
}

const texts = new TextBytes(utf8);
const addresses = new TextBytes(addressOctets);
const U32_MOST = 4_294_967_295;
/** Longer texts are left to the platform's encoder. */
const SHORT = 64;
const DOT = 46;
const DIGIT_ZERO = 48;

/**
 * Writes a record; every value that its template names is known. Numbers that do not fit are written as the largest that
 * does (RFC 7011 6.2 forbids to wrap them).
 * @param longest no text is longer than this
 * @param zeroMs what uptimes count from, in ms of Unix time
 * @returns false when there is no room: nothing was written then
 */
export function encode(
  { steps, places, lengths, minimumLength }: Template,
  record: FlowRecord,
  out: Output,
  zeroMs: number,
  longest: number,
): boolean {
  const { bytes } = out;
  const { numbers } = record;
  let offset = out.offset;
  let spare = out.limit - offset - minimumLength;
  if (spare < 0) return false;
  for (let at = 0; at < steps.length; at++) {
    const index = places[at] as number;
    switch (steps[at] as Step) {
      case Step.u8:
        bytes[offset] = atMost(numbers[index] as number, 255);
        offset += 1;
        break;
      case Step.u16:
        writeU16(bytes, offset, atMost(numbers[index] as number, 65535));
        offset += 2;
        break;
      case Step.u32:
        writeU32(bytes, offset, atMost(numbers[index] as number, U32_MOST));
        offset += 4;
        break;
      case Step.u64:
        writeU64(bytes, offset, numbers[index] as number);
        offset += 8;
        break;
      case Step.seconds:
        writeU32(bytes, offset, Math.floor((numbers[index] as number) / 1e6));
        offset += 4;
        break;
      case Step.milliseconds:
        writeU64(bytes, offset, Math.floor((numbers[index] as number) / 1e3));
        offset += 8;
        break;
      case Step.ntpMicroseconds:
        writeNtp(bytes, offset, numbers[index] as number, true);
        offset += 8;
        break;
      case Step.ntpNanoseconds:
        writeNtp(bytes, offset, numbers[index] as number, false);
        offset += 8;
        break;
      case Step.uptime:
        writeU32(bytes, offset, uptimeMs(numbers[index] as number, zeroMs));
        offset += 4;
        break;
      case Step.ipv4:
        writeIpv4(record.texts[index] as string, bytes, offset);
        offset += 4;
        break;
      case Step.ipv6:
        bytes.set(addresses.of(record.texts[index] as string), offset);
        offset += 16;
        break;
      case Step.variableText: {
        const text = record.texts[index] as string;
        const { length } = text;
        if (length <= SHORT && length <= longest && length <= spare && writeAscii(text, length, bytes, offset + 1)) {
          bytes[offset] = length;
          spare -= length;
          offset += 1 + length;
          break;
        }
        const encoded = texts.of(text);
        const size = cutLength(encoded, longest);
        spare -= size < 255 ? size : size + 2;
        if (spare < 0) return false;
        if (size < 255) bytes[offset++] = size;
        else {
          bytes[offset] = 255;
          writeU16(bytes, offset + 1, size);
          offset += 3;
        }
        bytes.set(size === encoded.length ? encoded : encoded.subarray(0, size), offset);
        offset += size;
        break;
      }
      case Step.fixedText: {
        const text = record.texts[index] as string;
        const end = offset + (lengths[at] as number);
        // At least one zero at the end: readers of C strings run on otherwise.
        let { length } = text;
        if (length > SHORT || offset + length >= end || !writeAscii(text, length, bytes, offset)) {
          const encoded = texts.of(text);
          length = cutLength(encoded, end - offset - 1);
          bytes.set(length === encoded.length ? encoded : encoded.subarray(0, length), offset);
        }
        bytes.fill(0, offset + length, end);
        offset = end;
        break;
      }
    }
  }
  out.offset = offset;
  return true;
}

/** Rounded: latencies have fractions. */
function atMost(value: number, most: number): number {
  return value >= most ? most : value + 0.5;
}

/** What began before is told as if it had begun then: so no start is after its end where 32 bits begin anew. */
function uptimeMs(micros: number, zeroMs: number): number {
  return Math.max(0, Math.floor(micros / 1e3) - zeroMs);
}

/** Names are short and ASCII nearly always: written at once they need no look-up. @returns false when it is not ASCII */
function writeAscii(text: string, length: number, bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
    bytes[offset + i] = code;
  }
  return true;
}

/** Of a dotted quad. */
function writeIpv4(text: string, bytes: Uint8Array, offset: number): void {
  let octet = 0;
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      bytes[at++] = octet;
      octet = 0;
    } else octet = octet * 10 + code - DIGIT_ZERO;
  }
  bytes[at] = octet;
}
