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

/** Tests the part of `text` that begins at `from`; so that a path's last part needs no copy. */
export type TextTest = (text: string, from: number) => boolean;
export type NumberTest = (value: number) => boolean;

export function textTest(filter: StringFilter): TextTest {
  const tests: TextTest[] = [];
  const { eq, prefix, contains } = filter;
  if (typeof eq === 'string') {
    tests.push((text, from) => {
      if (from === 0) return text === eq;
      return text.length - from === eq.length && text.startsWith(eq, from);
    });
  }
  if (filter.in) {
    const values = new Set(filter.in);
    tests.push((text, from) => values.has(from === 0 ? text : text.slice(from)));
  }
  if (typeof prefix === 'string') tests.push((text, from) => text.startsWith(prefix, from));
  if (typeof contains === 'string') tests.push((text, from) => text.indexOf(contains, from) >= 0);
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  return (text, from) => tests.every((test) => test(text, from));
}

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
