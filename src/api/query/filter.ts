import { ProcflowError, type ParameterError } from '../../errors.js';
import { didYouMean } from '../../text.js';
import type { FilterField, Predicate } from './fields.js';
import {
  addressTest,
  isEmpty,
  numberTest,
  textTest,
  timeTest,
  type IpFilter,
  type NumberFilter,
  type StringFilter,
  type TimeFilter,
} from './matchers.js';
import type { Names } from './measures.js';

/** A filter as both doors give it: fields that must all hold, and `and`, `or`, `not` that nest. */
export type FilterInput = Readonly<Record<string, unknown>>;

export interface FilterContext {
  readonly names: Names;
  /** What relative times are relative to. */
  readonly nowMicros: number;
  /** Whether the caller may look into command lines. */
  readonly mayReadCommandLines: boolean;
}

export interface Filter<T> {
  readonly test: Predicate<T>;
  /** Sets no condition: every row passes. */
  readonly isOpen: boolean;
  /** Has a condition on what may become known some time after a row began. */
  readonly isLate: boolean;
}

/** More conditions than this in one filter are refused. */
const MAX_CONDITIONS = 500;
const MAX_NESTING = 16;

/**
 * Compiles `where` and `except` over a table of fields into one predicate.
 * @throws ProcflowError for values that mean nothing, too many conditions, or command lines without the scope
 */
export function compileFilter<T>(
  fields: readonly FilterField<T>[],
  where: FilterInput | null | undefined,
  except: FilterInput | null | undefined,
  context: FilterContext,
): Filter<T> {
  const compiler = new Compiler(fields, context);
  const tests: Predicate<T>[] = [];
  const positive = where ? compiler.all(where, 0) : undefined;
  if (positive !== undefined) tests.push(positive);
  // `except` with no condition in it excludes nothing, as `where` with none keeps everything.
  const negative = except ? compiler.all(except, 0) : undefined;
  if (negative !== undefined) tests.push((row) => !negative(row));
  return { test: every(tests) ?? (() => true), isOpen: tests.length === 0, isLate: compiler.isLate };
}

class Compiler<T> {
  isLate = false;
  #conditions = 0;
  readonly #byName: ReadonlyMap<string, FilterField<T>>;

  constructor(
    fields: readonly FilterField<T>[],
    private readonly context: FilterContext,
  ) {
    this.#byName = new Map(fields.map((field) => [field.name, field]));
  }

  /** The conjunction of everything in one filter object; undefined when it sets no condition. */
  all(input: FilterInput, depth: number): Predicate<T> | undefined {
    if (depth > MAX_NESTING) {
      throw new ProcflowError('QUERY_TOO_DEEP', `a filter nests and, or, not at most ${MAX_NESTING} deep`);
    }
    const tests: Predicate<T>[] = [];
    for (const [name, value] of Object.entries(input)) {
      if (value === null || value === undefined) continue;
      const test = this.#one(name, value, depth);
      if (test !== undefined) tests.push(test);
    }
    return every(tests);
  }

  #one(name: string, value: unknown, depth: number): Predicate<T> | undefined {
    switch (name) {
      case 'and':
        return every(
          (value as FilterInput[]).map((part) => this.all(part, depth + 1)).filter((test) => test !== undefined),
        );
      case 'or': {
        const parts = (value as FilterInput[]).map((part) => this.all(part, depth + 1));
        // A part without a condition holds for every row, and so does the whole.
        if (parts.includes(undefined)) return undefined;
        return (row) => parts.some((test) => test?.(row) === true);
      }
      case 'not': {
        const test = this.all(value as FilterInput, depth + 1);
        return test && ((row) => !test(row));
      }
      default:
        return this.#leaf(this.#fieldOf(name), value);
    }
  }

  #fieldOf(name: string): FilterField<T> {
    const field = this.#byName.get(name);
    if (field === undefined) {
      const message = `there is no filter field ${JSON.stringify(name)}${didYouMean(name, this.#byName.keys())}`;
      throw new ProcflowError('UNKNOWN_PARAMETER', message, { errors: [{ parameter: name, message }] });
    }
    if (field.secret === true && !this.context.mayReadCommandLines) {
      throw new ProcflowError('FORBIDDEN', `a filter on ${name} needs a token with the scope cmdline:read`);
    }
    return field;
  }

  #leaf(field: FilterField<T>, value: unknown): Predicate<T> | undefined {
    if (++this.#conditions > MAX_CONDITIONS) {
      throw new ProcflowError('QUERY_TOO_COMPLEX', `a filter has at most ${MAX_CONDITIONS} conditions`);
    }
    // An operator object without operators sets no condition; an empty list of values does: nothing is in it.
    if (typeof value === 'object' && !Array.isArray(value) && value !== null && isEmpty(value)) return undefined;
    if (field.late === true) this.isLate = true;
    try {
      return this.#build(field, value);
    } catch (error) {
      if (!(error instanceof ProcflowError)) throw error;
      const errors: ParameterError[] = [{ parameter: field.name, message: error.message }];
      throw new ProcflowError(error.code, `${field.name}: ${error.message}`, { errors });
    }
  }

  #build(field: FilterField<T>, value: unknown): Predicate<T> {
    const { names, nowMicros } = this.context;
    switch (field.kind) {
      case 'String':
        return field.build(textTest(value as StringFilter), names);
      case 'Int':
      case 'Long':
      case 'Float':
        return field.build(numberTest(value as NumberFilter), names);
      case 'Minimum':
        return field.build(value as number, names);
      case 'Time':
        return field.build(timeTest(value as TimeFilter, nowMicros), names);
      case 'Ip':
        return field.build(addressTest((value as IpFilter).in ?? []), names);
      case 'Boolean':
        return field.build(value as boolean, names);
      case 'Enum':
        return field.build(new Set(value as string[]), names);
    }
  }
}

function every<T>(tests: readonly Predicate<T>[]): Predicate<T> | undefined {
  const [first, second, third] = tests;
  if (first === undefined) return undefined;
  if (second === undefined) return first;
  if (third === undefined) return (row) => first(row) && second(row);
  return (row) => {
    for (const test of tests) if (!test(row)) return false;
    return true;
  };
}
