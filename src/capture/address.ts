/**
 * Addresses as batches hold them (four little-endian words of 16 bytes) and as text: RFC 5952, IPv4-mapped as dotted
 * quads.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Bytes 8–11 of an IPv4-mapped address, read as a little-endian word. */
const MAPPED_WORD = 0xffff0000;

/** How many texts are kept. A power of two: the hash chooses the place, a newer address takes it over. */
const CACHE_SIZE = 1 << 15;

/**
 * Texts of recently met addresses. Its size is fixed: each address has one place, and whoever comes later takes it.
 * That is quicker than keeping an order of use, and flows that share an address mostly share its string as well.
 */
export class AddressTexts {
  private readonly words = new Uint32Array(CACHE_SIZE * 4);
  private readonly texts = new Array<string | undefined>(CACHE_SIZE).fill(undefined);

  /** The text of the address in row `row` of an `addr` column. */
  at(column: Uint32Array, row: number): string {
    const a = column[row * 4] as number;
    const b = column[row * 4 + 1] as number;
    const c = column[row * 4 + 2] as number;
    const d = column[row * 4 + 3] as number;
    let hash = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b), 0xc2b2ae35) ^ d;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const place = (hash ^ (hash >>> 13)) & (CACHE_SIZE - 1);
    const words = this.words;
    const at = place * 4;
    const known = this.texts[place];
    if (known !== undefined && words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) {
      return known;
    }
    const text = formatWords(a, b, c, d);
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    this.texts[place] = text;
    return text;
  }
}

/** Whether row `row` of an `addr` column is all zero, or IPv4-mapped zero: unspecified or unknown. */
export function isUnspecified(column: Uint32Array, row: number): boolean {
  const c = column[row * 4 + 2];
  return (
    column[row * 4] === 0 && column[row * 4 + 1] === 0 && column[row * 4 + 3] === 0 && (c === 0 || c === MAPPED_WORD)
  );
}

/** Whether row `row` of an `addr` column is IPv4-mapped. */
export function isMapped(column: Uint32Array, row: number): boolean {
  return column[row * 4] === 0 && column[row * 4 + 1] === 0 && column[row * 4 + 2] === MAPPED_WORD;
}

/** 127.0.0.0/8 or ::1, from canonical text. */
export function isLoopbackText(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** 0.0.0.0 or ::, from canonical text. */
export function isUnspecifiedText(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function formatWords(a: number, b: number, c: number, d: number): string {
  if (a === 0 && b === 0 && c === MAPPED_WORD) {
    return `${d & 0xff}.${(d >>> 8) & 0xff}.${(d >>> 16) & 0xff}.${d >>> 24}`;
  }
  const groups = [a, b, c, d].flatMap((word) => [swapped(word & 0xffff), swapped(word >>> 16)]);
  const gap = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (gap === undefined) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

function swapped(half: number): number {
  return ((half & 0xff) << 8) | (half >>> 8);
}

/** The first of the longest runs of two or more zero groups: RFC 5952 section 4.2. */
function longestZeros(groups: readonly number[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length >= 2 && length > (best?.length ?? 0)) best = { start, length };
    start += length;
  }
  return best;
}

/** The text of 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return formatWords(
    view.getUint32(0, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
    view.getUint32(12, true),
  );
}

/** The 16 bytes of an address: IPv4 as mapped. @throws RangeError when the text is no address */
export function addressBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  if (isIPv4(text)) {
    bytes.fill(0xff, 10, 12);
    bytes.set(text.split('.').map(Number), 12);
    return bytes;
  }
  if (!isIPv6(text) || text.includes('%')) throw new RangeError(`${JSON.stringify(text)} is no IP address`);
  const [head = '', tail] = text.split('::');
  const before = groupBytes(head);
  const after = groupBytes(tail ?? '');
  bytes.set(before, 0);
  if (tail !== undefined) bytes.set(after, 16 - after.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}
