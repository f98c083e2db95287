/** Templates, and the encoder that is compiled for each: a list of steps that one loop carries out for every record. */
import type { Element } from './element.js';
import type { FlowRecord } from './record.js';
import { addressOctets, cutLength, TextBytes, utf8, writeNtp, writeU64, type Output } from './wire.js';

/** Field length of a variable-length text (RFC 7011 7). */
export const VARIABLE = 65535;

/** An element as a template has it. */
export interface Field {
  readonly element: Element;
  /** In octets, or {@link VARIABLE}. */
  readonly length: number;
}

/** What a step writes. */
const STEP = {
  u8: 0,
  u16: 1,
  u32: 2,
  u64: 3,
  seconds: 4,
  milliseconds: 5,
  ntpMicroseconds: 6,
  ntpNanoseconds: 7,
  uptime: 8,
  ipv4: 9,
  ipv6: 10,
  variableText: 11,
  fixedText: 12,
} as const;
/** Numbers of a step: what, from which place, how long. */
const WORDS = 3;

export class Template {
  /** As few octets as a record can have. */
  readonly minimumLength: number;
  readonly variableTexts: number;
  readonly steps: Int32Array;
  /** Whether the collector was told of it. */
  isAnnounced = false;

  constructor(
    readonly id: number,
    readonly fields: readonly Field[],
  ) {
    this.minimumLength = fields.reduce((sum, { length }) => sum + (length === VARIABLE ? 1 : length), 0);
    this.variableTexts = fields.filter(({ length }) => length === VARIABLE).length;
    this.steps = Int32Array.from(fields.flatMap(stepOf));
  }

  /** Bit n is set when the n-th field is part of the flow key; the first 64 fields can be told (RFC 7011 4.4). */
  get keyBits(): bigint {
    return this.fields
      .slice(0, 64)
      .reduce((bits, { element }, n) => (element.isKey ? bits | (1n << BigInt(n)) : bits), 0n);
  }
}

function stepOf({ element, length }: Field): [number, number, number] {
  const { place, dataType, isUptime } = element;
  const index = place?.index ?? 0;
  if (isUptime) return [STEP.uptime, index, length];
  switch (dataType) {
    case 'unsigned8':
    case 'unsigned16':
    case 'unsigned32':
    case 'unsigned64':
      return [integerStep(length), index, length];
    case 'dateTimeSeconds':
      return [STEP.seconds, index, length];
    case 'dateTimeMilliseconds':
      return [STEP.milliseconds, index, length];
    case 'dateTimeMicroseconds':
      return [STEP.ntpMicroseconds, index, length];
    case 'dateTimeNanoseconds':
      return [STEP.ntpNanoseconds, index, length];
    case 'ipv4Address':
      return [STEP.ipv4, index, length];
    case 'ipv6Address':
      return [STEP.ipv6, index, length];
    case 'string':
      return [length === VARIABLE ? STEP.variableText : STEP.fixedText, index, length];
  }
}

function integerStep(length: number): number {
  return length === 1 ? STEP.u8 : length === 2 ? STEP.u16 : length === 4 ? STEP.u32 : STEP.u64;
}

const texts = new TextBytes(utf8);
const addresses = new TextBytes(addressOctets);
const U32_MOST = 4_294_967_295;

/**
 * Writes a record; every value that its template names is known. Numbers that do not fit are written as the largest that
 * does (RFC 7011 6.2 forbids to wrap them).
 * @param longest no text is longer than this
 * @param zeroMs what uptimes count from, in ms of Unix time
 * @returns false when there is no room: nothing was written then
 */
export function encode(
  { steps, minimumLength }: Template,
  record: FlowRecord,
  out: Output,
  zeroMs: number,
  longest: number,
): boolean {
  const { view, bytes } = out;
  const { numbers } = record;
  let offset = out.offset;
  let spare = out.limit - offset - minimumLength;
  if (spare < 0) return false;
  for (let at = 0; at < steps.length; at += WORDS) {
    const index = steps[at + 1] as number;
    switch (steps[at] as number) {
      case STEP.u8:
        view.setUint8(offset, atMost(numbers[index] as number, 255));
        offset += 1;
        break;
      case STEP.u16:
        view.setUint16(offset, atMost(numbers[index] as number, 65535));
        offset += 2;
        break;
      case STEP.u32:
        view.setUint32(offset, atMost(numbers[index] as number, U32_MOST));
        offset += 4;
        break;
      case STEP.u64:
        writeU64(view, offset, numbers[index] as number);
        offset += 8;
        break;
      case STEP.seconds:
        view.setUint32(offset, Math.floor((numbers[index] as number) / 1e6));
        offset += 4;
        break;
      case STEP.milliseconds:
        writeU64(view, offset, Math.floor((numbers[index] as number) / 1e3));
        offset += 8;
        break;
      case STEP.ntpMicroseconds:
        writeNtp(view, offset, numbers[index] as number, true);
        offset += 8;
        break;
      case STEP.ntpNanoseconds:
        writeNtp(view, offset, numbers[index] as number, false);
        offset += 8;
        break;
      case STEP.uptime:
        view.setUint32(offset, uptimeMs(numbers[index] as number, zeroMs));
        offset += 4;
        break;
      case STEP.ipv4:
        offset = copy(addresses.of(record.texts[index] as string), 4, bytes, offset);
        break;
      case STEP.ipv6:
        offset = copy(addresses.of(record.texts[index] as string), 16, bytes, offset);
        break;
      case STEP.variableText: {
        const text = texts.of(record.texts[index] as string);
        const length = cutLength(text, longest);
        spare -= length < 255 ? length : length + 2;
        if (spare < 0) return false;
        if (length < 255) bytes[offset++] = length;
        else {
          bytes[offset] = 255;
          view.setUint16(offset + 1, length);
          offset += 3;
        }
        offset = copy(text, length, bytes, offset);
        break;
      }
      case STEP.fixedText: {
        const size = steps[at + 2] as number;
        const text = texts.of(record.texts[index] as string);
        // At least one zero at the end: readers of C strings run on otherwise.
        const end = copy(text, cutLength(text, size - 1), bytes, offset);
        offset += size;
        bytes.fill(0, end, offset);
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

/** `set` of typed arrays costs more than the few octets of a name. */
function copy(from: Uint8Array, length: number, to: Uint8Array, offset: number): number {
  if (length > 48) {
    to.set(length === from.length ? from : from.subarray(0, length), offset);
    return offset + length;
  }
  for (let i = 0; i < length; i++) to[offset + i] = from[i] as number;
  return offset + length;
}
