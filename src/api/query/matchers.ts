/**
 * The leaves of the filter grammar: each operator object becomes one function. An operator that is null or left out
 * sets no condition; several operators in one object must all hold; an empty list matches nothing.
 */
import { addressTest } from './address.js';
import { resolveTime, type TimeArgument } from './time.js';

export interface StringFilter {
  readonly eq?: string | null;
  readonly in?: readonly string[] | null;
  readonly prefix?: string | null;
  readonly contains?: string | null;
}
export interface NumberFilter {
  readonly eq?: number | null;
  readonly in?: readonly number[] | null;
  readonly gte?: number | null;
  readonly lte?: number | null;
}
export interface TimeFilter {
  readonly gte?: TimeArgument | null;
  readonly lte?: TimeArgument | null;
}
export interface IpFilter {
  readonly in?: readonly string[] | null;
}

/** A test of text, and the same of the last part of a path, which needs no copy of that part. */
export interface TextTest {
  readonly whole: (text: string) => boolean;
  readonly baseName: (path: string) => boolean;
}
export type NumberTest = (value: number) => boolean;

export function textTest(filter: StringFilter): TextTest {
  const { eq, prefix, contains } = filter;
  const tests: ((text: string, from: number) => boolean)[] = [];
  if (typeof eq === 'string') tests.push((text, from) => text.length - from === eq.length && text.startsWith(eq, from));
  if (filter.in) {
    const values = new Set(filter.in);
    tests.push((text, from) => values.has(from === 0 ? text : text.slice(from)));
  }
  if (typeof prefix === 'string') tests.push((text, from) => text.startsWith(prefix, from));
  if (typeof contains === 'string') tests.push((text, from) => text.indexOf(contains, from) >= 0);
  // The commonest filter of all, in the way that takes the least for the many that it turns away.
  if (typeof eq === 'string' && tests.length === 1) return { whole: (text) => text === eq, baseName: baseNameIs(eq) };
  const test = (text: string, from: number): boolean => tests.every((one) => one(text, from));
  return { whole: (text) => test(text, 0), baseName: (path) => test(path, path.lastIndexOf('/') + 1) };
}

function baseNameIs(name: string): (path: string) => boolean {
  if (name === '' || name.includes('/')) return () => false;
  const last = name.charCodeAt(name.length - 1);
  return (path) => {
    const start = path.length - name.length;
    if (start < 0 || path.charCodeAt(path.length - 1) !== last) return false;
    return (start === 0 || path.charCodeAt(start - 1) === SLASH) && path.endsWith(name);
  };
}

const SLASH = 47;

export function numberTest(filter: NumberFilter): NumberTest {
  const { eq, gte, lte } = filter;
  const values = filter.in ? new Set(filter.in) : undefined;
  return (value) =>
    (typeof eq !== 'number' || value === eq) &&
    (typeof gte !== 'number' || value >= gte) &&
    (typeof lte !== 'number' || value <= lte) &&
    (values === undefined || values.has(value));
}

export function timeTest(filter: TimeFilter, nowMicros: number): NumberTest {
  const from = filter.gte === undefined || filter.gte === null ? -Infinity : resolveTime(filter.gte, nowMicros);
  const to = filter.lte === undefined || filter.lte === null ? Infinity : resolveTime(filter.lte, nowMicros);
  return (micros) => micros >= from && micros <= to;
}

/** Whether an operator object sets any condition at all. */
export function isEmpty(filter: object): boolean {
  return Object.values(filter).every((value) => value === undefined || value === null);
}

export { addressTest };
