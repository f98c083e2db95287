import { ProcflowError } from '../../errors.js';

/** A time as a caller gives it: Unix microseconds, or so many microseconds before now. */
export type TimeArgument = number | { readonly agoMicros: number };

const UNIT_MICROS: Readonly<Record<string, number>> = {
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
  d: 86_400e6,
  w: 604_800e6,
};
const RELATIVE = /^-((?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d|w))+)$/;
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const UNIX_SECONDS = /^\d{1,11}(?:\.\d{1,9})?$/;
/** The end of year 9999: later times have no RFC 3339 form. */
const LAST_MICROS = 253_402_300_799_999_999;

/**
 * Reads RFC 3339 with up to microseconds, Unix seconds (`1764150189.064`), or a time before now (`-15m`, `-1h30m`, `now`).
 * @throws ProcflowError INVALID_ARGUMENT naming the accepted forms
 */
export function parseTime(value: unknown): TimeArgument {
  const parsed =
    typeof value === 'number' ? fromSeconds(value) : typeof value === 'string' ? fromText(value) : undefined;
  if (parsed !== undefined) return parsed;
  throw new ProcflowError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(value)} is not a time: give RFC 3339 (2026-11-23T08:43:09.064028Z), Unix seconds, or a time before now (-15m)`,
  );
}

/** The µs that an argument means when it is `nowMicros`. */
export function resolveTime(time: TimeArgument, nowMicros: number): number {
  return typeof time === 'number' ? time : nowMicros - time.agoMicros;
}

function fromSeconds(seconds: number): number | undefined {
  const micros = Math.round(seconds * 1e6);
  return micros >= 0 && micros <= LAST_MICROS ? micros : undefined;
}

function fromText(text: string): TimeArgument | undefined {
  if (text === 'now') return { agoMicros: 0 };
  if (UNIX_SECONDS.test(text)) return fromSeconds(Number(text));
  const relative = RELATIVE.exec(text);
  if (relative?.[1] !== undefined) return { agoMicros: durationMicros(relative[1]) };
  const parts = RFC_3339.exec(text);
  if (parts === null) return undefined;
  const [, date, time, fraction = '', zone = 'Z'] = parts;
  const millis = Date.parse(`${date ?? ''}T${time ?? ''}${zone.toUpperCase()}`);
  // Date.parse takes 30 February for 2 March; a date that moved is no date.
  if (Number.isNaN(millis) || !sameDay(date ?? '')) return undefined;
  return millis * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

function sameDay(date: string): boolean {
  const millis = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(date);
}

function durationMicros(text: string): number {
  let micros = 0;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    micros += Number(amount) * (UNIT_MICROS[unit] ?? 0);
  }
  return Math.round(micros);
}

let lastSecond = -1;
let lastText = '';

/** RFC 3339 in UTC with microseconds. Most times that are written together share their second, so it is remembered. */
export function formatTime(micros: number): string {
  const second = Math.floor(micros / 1e6);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  const fraction = Math.floor(micros - second * 1e6);
  return `${lastText}${String(1_000_000 + fraction).slice(1)}Z`;
}
