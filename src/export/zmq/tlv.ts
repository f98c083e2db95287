/**
 * Records as nDPI's serializer writes them: each item is an octet with the types of key and value, then these, in as few
 * octets as the number needs. Keys are the numbers that NetFlow v9 has for the elements.
 */
import { v9Type } from '../element.js';
import type { FlowRecord } from '../record.js';
import type { Field } from '../template.js';
import { cutLength, TextBytes, utf8, writeU16, writeU32, writeU64, type Output } from '../wire.js';
import type { Payload } from './payload.js';
import { scaled, sourcesOf, type Source } from './value.js';

const SERIALIZER_VERSION = 1;
const FORMAT_TLV = 1;
const TYPE = { endOfRecord: 1, u8: 2, u16: 3, u32: 4, u64: 5, float: 10, text: 11 } as const;
const U32_MOST = 0xffff_ffff;
/** Types, a key of two octets, a number of eight. */
const LONGEST_NUMBER_ITEM = 11;
/** Types, a key of two octets, a length of two. */
const LONGEST_TEXT_HEAD = 5;

interface Item {
  readonly source: Source;
  /** Of two octets, or one. */
  readonly key: number;
}

export class TlvPayload implements Payload {
  readonly endLength = 0;
  private readonly items: readonly Item[];
  private readonly texts = new TextBytes(utf8);
  private readonly float = new DataView(new ArrayBuffer(4));

  constructor(fields: readonly Field[]) {
    this.items = sourcesOf(fields).map((source) => ({ source, key: v9Type(source.element) }));
  }

  begin(out: Output): void {
    out.u8(SERIALIZER_VERSION);
    out.u8(FORMAT_TLV);
  }

  append(record: FlowRecord, out: Output, longest: number): boolean {
    const start = out.offset;
    for (const { source, key } of this.items) {
      const isWritten = source.isText
        ? this.text(key, record.texts[source.index] ?? null, out, longest)
        : this.number(key, scaled(source, record.numbers[source.index] ?? NaN), out);
      if (!isWritten) {
        out.offset = start;
        return false;
      }
    }
    if (out.room < 1) {
      out.offset = start;
      return false;
    }
    out.bytes[out.offset++] = TYPE.endOfRecord;
    return true;
  }

  end(): void {
    // The last record has its end already.
  }

  private text(key: number, text: string | null, out: Output, longest: number): boolean {
    if (text === null) return true;
    const encoded = this.texts.of(text);
    const length = cutLength(encoded, longest);
    if (out.room < LONGEST_TEXT_HEAD + length) return false;
    const at = writeKey(key, TYPE.text, out);
    writeU16(out.bytes, at, length);
    out.bytes.set(length === encoded.length ? encoded : encoded.subarray(0, length), at + 2);
    out.offset = at + 2 + length;
    return true;
  }

  private number(key: number, value: number, out: Output): boolean {
    if (Number.isNaN(value)) return true;
    if (out.room < LONGEST_NUMBER_ITEM) return false;
    const { bytes } = out;
    if (!Number.isInteger(value)) {
      const at = writeKey(key, TYPE.float, out);
      // As it lies in memory there.
      this.float.setFloat32(0, value, true);
      for (let i = 0; i < 4; i++) bytes[at + i] = this.float.getUint8(i);
      out.offset = at + 4;
    } else if (value <= 0xff) {
      const at = writeKey(key, TYPE.u8, out);
      bytes[at] = value;
      out.offset = at + 1;
    } else if (value <= 0xffff) {
      const at = writeKey(key, TYPE.u16, out);
      writeU16(bytes, at, value);
      out.offset = at + 2;
    } else if (value <= U32_MOST) {
      const at = writeKey(key, TYPE.u32, out);
      writeU32(bytes, at, value);
      out.offset = at + 4;
    } else {
      const at = writeKey(key, TYPE.u64, out);
      writeU64(bytes, at, value);
      out.offset = at + 8;
    }
    return true;
  }
}

/** @returns where the value goes */
function writeKey(key: number, valueType: number, { bytes, offset }: Output): number {
  if (key <= 0xff) {
    bytes[offset] = (TYPE.u8 << 4) | valueType;
    bytes[offset + 1] = key;
    return offset + 2;
  }
  bytes[offset] = (TYPE.u16 << 4) | valueType;
  writeU16(bytes, offset + 1, key);
  return offset + 3;
}
