/** Records as JSON: an object each, in an array, or one object alone. Keys are numbers as NetFlow v9 has them, or names. */
import { v9Type } from '../element.js';
import type { FlowRecord } from '../record.js';
import type { Field } from '../template.js';
import { cutLength, TextBytes, utf8, type Output } from '../wire.js';
import type { Payload } from './payload.js';
import { scaled, sourcesOf, type Source } from './value.js';

export interface JsonOptions {
  readonly keys: 'NUMBERS' | 'NAMES';
  /** Without it there is one record in a message, which is no array. */
  readonly isArray: boolean;
}

interface Item {
  readonly source: Source;
  /** `"57640":`, and with a comma before it. */
  readonly key: Uint8Array;
  readonly nextKey: Uint8Array;
}

const COMMA = 0x2c;
const DIGIT_ZERO = 0x30;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const LONGEST_NUMBER = 24;

export class JsonPayload implements Payload {
  readonly endLength: number;
  private readonly items: readonly Item[];
  private readonly texts = new TextBytes(quoted);
  private isFirst = true;

  constructor(
    fields: readonly Field[],
    private readonly options: JsonOptions,
  ) {
    this.endLength = options.isArray ? 1 : 0;
    this.items = sourcesOf(fields).map((source) => {
      const { element } = source;
      const key = `"${options.keys === 'NAMES' ? element.name : v9Type(element)}":`;
      return { source, key: Buffer.from(key), nextKey: Buffer.from(`,${key}`) };
    });
  }

  begin(out: Output): void {
    if (this.options.isArray) out.bytes[out.offset++] = OPEN_ARRAY;
    this.isFirst = true;
  }

  append(record: FlowRecord, out: Output, longest: number): boolean {
    const start = out.offset;
    if (this.write(record, out, longest)) {
      this.isFirst = false;
      return true;
    }
    out.offset = start;
    return false;
  }

  end(message: Uint8Array, offset: number): void {
    if (this.options.isArray) message[offset] = CLOSE_ARRAY;
  }

  private write(record: FlowRecord, out: Output, longest: number): boolean {
    // For a comma and the brackets.
    if (out.room < 3) return false;
    if (!this.isFirst) out.bytes[out.offset++] = COMMA;
    out.bytes[out.offset++] = OPEN_OBJECT;
    let isFirst = true;
    for (const { source, key, nextKey } of this.items) {
      const name = isFirst ? key : nextKey;
      if (source.isText) {
        const text = record.texts[source.index] ?? null;
        if (text === null) continue;
        const value = this.textOf(text, longest);
        if (out.room <= name.length + value.length) return false;
        put(name, out);
        put(value, out);
      } else {
        const value = scaled(source, record.numbers[source.index] ?? NaN);
        if (Number.isNaN(value)) continue;
        if (out.room <= name.length + LONGEST_NUMBER) return false;
        put(name, out);
        putNumber(value, out);
      }
      isFirst = false;
    }
    out.bytes[out.offset++] = CLOSE_OBJECT;
    return true;
  }

  private textOf(text: string, longest: number): Uint8Array {
    if (text.length * 3 <= longest) return this.texts.of(text);
    const octets = utf8(text);
    if (octets.length <= longest) return this.texts.of(text);
    return quoted(Buffer.from(octets.subarray(0, cutLength(octets, longest))).toString('utf8'));
  }
}

/** In quotes; well-formed, without NUL. */
function quoted(text: string): Uint8Array {
  return Buffer.from(JSON.stringify(Buffer.from(utf8(text)).toString('utf8')));
}

function put(octets: Uint8Array, out: Output): void {
  out.bytes.set(octets, out.offset);
  out.offset += octets.length;
}

function putNumber(value: number, out: Output): void {
  if (value > 0xffff_ffff || !Number.isInteger(value)) {
    put(Buffer.from(String(value), 'latin1'), out);
    return;
  }
  const { bytes, offset } = out;
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let rest = value;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const tenth = Math.floor(rest / 10);
    bytes[at] = DIGIT_ZERO + rest - tenth * 10;
    rest = tenth;
  }
  out.offset = offset + digits;
}
