/** Writing values as they are on the wire: big-endian, into a buffer that is there already. */
import { addressBytes } from '../capture/address.js';

/** Seconds from the NTP epoch (1900) to the Unix epoch. */
const NTP_TO_UNIX_SECONDS = 2_208_988_800;
const TWO_32 = 4_294_967_296;

/** Where a message is built. */
export class Output {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where the next octet goes. */
  offset = 0;

  constructor(
    /** Size of the largest message. */
    readonly limit: number,
  ) {
    this.bytes = new Uint8Array(limit);
    this.view = new DataView(this.bytes.buffer);
  }

  get room(): number {
    return this.limit - this.offset;
  }

  u8(value: number): void {
    this.view.setUint8(this.offset, value);
    this.offset += 1;
  }

  u16(value: number): void {
    this.view.setUint16(this.offset, value);
    this.offset += 2;
  }

  u32(value: number): void {
    this.view.setUint32(this.offset, value);
    this.offset += 4;
  }

  u64(value: number | bigint): void {
    this.view.setBigUint64(this.offset, BigInt(value));
    this.offset += 8;
  }

  zeros(count: number): void {
    this.bytes.fill(0, this.offset, this.offset + count);
    this.offset += count;
  }

  /** With its length before it: one octet when that is less than 255, else three. */
  variable(text: Uint8Array): void {
    if (text.length < 255) this.u8(text.length);
    else {
      this.u8(255);
      this.u16(text.length);
    }
    this.bytes.set(text, this.offset);
    this.offset += text.length;
  }
}

// Octet by octet: stores into a Uint8Array are compiled to a machine instruction each, the methods of DataView may be calls.

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/** A whole number of up to 53 bits in 8 octets. */
export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  writeU32(bytes, offset, high);
  writeU32(bytes, offset + 4, value - high * TWO_32);
}

/** NTP time stamp of µs of Unix time. The lowest 11 bits of the fraction are 0 (RFC 7011 6.1.9); so that no reader loses a µs, up. */
export function writeNtp(bytes: Uint8Array, offset: number, micros: number, isMicroseconds: boolean): void {
  const seconds = Math.floor(micros / 1e6);
  const exact = ((micros - seconds * 1e6) * TWO_32) / 1e6;
  const fraction = isMicroseconds ? Math.ceil(exact / 2048) * 2048 : Math.ceil(exact);
  const carry = fraction >= TWO_32 ? 1 : 0;
  writeU32(bytes, offset, (seconds + NTP_TO_UNIX_SECONDS + carry) % TWO_32);
  writeU32(bytes, offset + 4, fraction % TWO_32);
}

/** As many octets as fit into `most` without cutting a character. */
export function cutLength(utf8: Uint8Array, most: number): number {
  if (utf8.length <= most) return utf8.length;
  let length = Math.max(0, most);
  while (length > 0 && ((utf8[length] ?? 0) & 0xc0) === 0x80) length--;
  return length;
}

/** Longer texts are rarely the same again. */
const LONGEST_KEPT = 256;
const MOST_KEPT = 1 << 15;

/** Texts in octets; the same few names come again and again. */
export class TextBytes {
  private readonly known = new Map<string, Uint8Array>();

  /** `make` is the same for all calls on this object. */
  constructor(private readonly make: (text: string) => Uint8Array) {}

  of(text: string): Uint8Array {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const bytes = this.make(text);
    if (text.length <= LONGEST_KEPT) {
      if (this.known.size >= MOST_KEPT) this.known.clear();
      this.known.set(text, bytes);
    }
    return bytes;
  }
}

/** Well-formed UTF-8 without NUL, which would end the text for many readers. */
export function utf8(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('\0', '\ufffd'), 'utf8');
}

/** 4 or 16 octets. */
export function addressOctets(address: string): Uint8Array {
  const bytes = addressBytes(address);
  return address.includes(':') ? bytes : bytes.subarray(12);
}
