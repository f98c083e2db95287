import { isIP } from 'node:net';
import { ProcflowError } from '../../errors.js';

/** Addresses as 32-bit words: a v4 address has one, a v6 address four. */
interface Prefix {
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/**
 * A test for addresses within any of the prefixes. An IPv4 prefix also matches the IPv4-mapped form of an address; an
 * IPv6 prefix never matches IPv4.
 * @throws ProcflowError INVALID_ARGUMENT for text that is neither an address nor a prefix
 */
export function addressTest(prefixes: readonly string[]): (address: string) => boolean {
  const parsed = prefixes.map(parsePrefix);
  const v4 = parsed.filter((prefix) => prefix.words.length === 1);
  const v6 = parsed.filter((prefix) => prefix.words.length === 4);
  return (address) => {
    const word = v4Word(address);
    if (word >= 0) return v4.some((prefix) => inV4(prefix, word));
    // Most filters name IPv4 only; then the long way of reading IPv6 text is not taken unless it may be a mapped one.
    if (v6.length === 0 && !address.startsWith('::ffff:')) return false;
    const words = addressWords(address);
    if (words === undefined) return false;
    if (words.length === 1) return v4.some((prefix) => inV4(prefix, words[0] ?? 0));
    return v6.some((prefix) =>
      prefix.words.every((part, i) => ((words[i] ?? 0) & (prefix.masks[i] ?? 0)) >>> 0 === part),
    );
  };
}

/** The network part of an address: /24 of IPv4, /48 of IPv6; undefined for what is no address. */
export function networkOf(address: string): string | undefined {
  const words = addressWords(address);
  if (words === undefined) return undefined;
  const [first = 0, second = 0] = words;
  if (words.length === 1) return `${first >>> 24}.${(first >>> 16) & 255}.${(first >>> 8) & 255}.0/24`;
  const groups = [first >>> 16, first & 0xffff, second >>> 16];
  while (groups.length > 0 && groups.at(-1) === 0) groups.pop();
  return `${groups.map((group) => group.toString(16)).join(':')}::/48`;
}

function inV4(prefix: Prefix, word: number): boolean {
  return (word & (prefix.masks[0] ?? 0)) >>> 0 === prefix.words[0];
}

function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const words = addressWords(address);
  if (words === undefined) throw notAPrefix(text);
  let bits = words.length * 32;
  if (slash >= 0) {
    const length = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(length)) throw notAPrefix(text);
    const mapped = words.length === 1 && address.includes(':');
    const given = Number(length) - (mapped ? 96 : 0);
    if (given < 0 || given > bits) throw notAPrefix(text);
    bits = given;
  }
  const masks = words.map((_, i) => maskWord(bits - i * 32));
  return { words: words.map((word, i) => (word & (masks[i] ?? 0)) >>> 0), masks };
}

function notAPrefix(text: string): ProcflowError {
  const shown = JSON.stringify(text.slice(0, 100));
  return new ProcflowError(
    'INVALID_ARGUMENT',
    `${shown} is neither an IP address nor a prefix such as 10.0.0.0/8 or fd00::/8`,
  );
}

function maskWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

/** The words of an address; one word for IPv4 and IPv4-mapped. */
function addressWords(text: string): readonly number[] | undefined {
  const word = v4Word(text);
  if (word >= 0) return [word];
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (isIP(bare) !== 6) return undefined;
  const words = v6Words(bare);
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? [words[3] ?? 0] : words;
}

/** Dotted quad to an unsigned word, -1 when it is none. By hand: it runs twice for each flow of a scan. */
function v4Word(text: string): number {
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46 && octet >= 0) {
      word = word * 256 + octet;
      octet = -1;
      if (++dots > 3) return -1;
    } else if (code >= 48 && code <= 57) {
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48;
      if (octet > 255) return -1;
    } else return -1;
  }
  return dots === 3 && octet >= 0 ? word * 256 + octet : -1;
}

/** Of text that is known to be a valid IPv6 address. */
function v6Words(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  const groups = [...before, ...zeros, ...after];
  return [0, 2, 4, 6].map((i) => (((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0)) >>> 0);
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const word = v4Word(group);
    return [word >>> 16, word & 0xffff];
  });
}
