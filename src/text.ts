/**
 * The nearest of the known names, for "did you mean": letter case and separators do not count, swapped neighbours are
 * one mistake. Undefined when nothing is near enough to be meant.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = simplified(word);
  // A third of the letters may be wrong; one in any word long enough to be recognised.
  const limit = Math.max(wanted.length > 2 ? 1 : 0, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of known) {
    const candidate = simplified(name);
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `; did you mean "x"?` to end a message with, or nothing when no known name is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const name = nearest(word, known);
  return name === undefined ? '' : `; did you mean ${JSON.stringify(name)}?`;
}

/** Longer words are not compared: the cost is quadratic and the word may come from outside. */
const LONGEST_COMPARED = 64;

function simplified(word: string): string {
  return word
    .slice(0, LONGEST_COMPARED)
    .toLowerCase()
    .replace(/[-_. ]/g, '');
}

/** Damerau–Levenshtein distance in its optimal string alignment form, over UTF-16 units, in three rows. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped =
        i > 1 && j > 1 && a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
      if (swapped) cost = Math.min(cost, at(beforePrevious, j - 2) + 1);
      row.push(cost);
    }
    beforePrevious = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}

/**
 * What could move a terminal's cursor, reverse the reading order, or is no text at all: C0, DEL, C1, the line and
 * paragraph separators, bidirectional marks, overrides and isolates, and surrogates without their partner.
 */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** Finds whether there is anything to do; without `g`, since a global expression remembers its last place. */
const HAS_UNPRINTABLE = new RegExp(UNPRINTABLE.source, 'u');

/**
 * Text from outside (a process names itself) made safe to show: one line, valid Unicode, and nothing in it that acts on
 * the reader's terminal. Unsafe characters become `\xNN` or `\u{…}`, bytes that are no UTF-8 `\xNN`.
 */
export function printable(text: string | Uint8Array): string {
  const decoded = typeof text === 'string' ? text : decodeLossless(text);
  if (!HAS_UNPRINTABLE.test(decoded)) return decoded;
  return decoded.replace(UNPRINTABLE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? byteEscape(code) : `\\u{${code.toString(16)}}`;
}

function byteEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8, with each byte that is not part of a valid sequence as its escape. */
function decodeLossless(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return decodePiecewise(bytes);
  }
}

function decodePiecewise(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      text += byteEscape(bytes[i] ?? 0);
      i += 1;
    } else {
      text += strictUtf8.decode(bytes.subarray(i, i + length));
      i += length;
    }
  }
  return text;
}

/** The length of the valid UTF-8 sequence at `start`, 0 when there is none. */
function sequenceLength(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] ?? 0;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (length === 0 || start + length > bytes.length) return 0;
  try {
    // The decoder knows the overlong forms and the surrogates; a few bytes at a time is enough for rare bad names.
    strictUtf8.decode(bytes.subarray(start, start + length));
    return length;
  } catch {
    return 0;
  }
}
