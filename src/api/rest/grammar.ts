/** REST's dress of the filter grammar: from query parameters to the same filter objects that GraphQL gives. */
import { ProcflowError } from '../../errors.js';
import type { FilterField, FilterInput, ListArguments, OrderDirection } from '../query/index.js';
import type { Parameters, Value } from './parameters.js';

/** Operators that follow a field's name, by the kind of field. */
export const OPERATORS = {
  String: ['', '~', '^'],
  Int: ['', '>', '<'],
  Long: ['', '>', '<'],
  Float: ['', '>', '<'],
  Time: ['>', '<'],
  Ip: [''],
  Enum: [''],
  Minimum: [''],
  Boolean: [''],
} as const;

type Operator = '' | '~' | '^' | '>' | '<';

/** Every parameter name of the grammar for a table of fields. */
export function grammarNames(fields: readonly Pick<FilterField<never>, 'name' | 'kind'>[]): string[] {
  const positive = fields.flatMap(({ name, kind }) => OPERATORS[kind].map((operator) => `${name}${operator}`));
  return [...positive, ...positive.map((name) => `not.${name}`)];
}

/** Different parameters must all hold; several values of one are alternatives; each `not.` excludes on its own. */
export function filterOf<T>(fields: readonly FilterField<T>[], parameters: Parameters): FilterInput | null {
  const and: FilterInput[] = [];
  const kinds = new Map(fields.map((field) => [field.name, field.kind]));
  for (const [name, values] of parameters) {
    const [, not, field = '', operator = ''] = /^(not\.)?([A-Za-z]+)([~^<>]?)$/.exec(name) ?? [];
    const kind = kinds.get(field);
    if (kind === undefined) continue;
    const condition = conditionOf(field, kind, operator as Operator, values);
    and.push(not === undefined ? condition : { not: condition });
  }
  return and.length === 0 ? null : { and };
}

function conditionOf(
  field: string,
  kind: FilterField<never>['kind'],
  operator: Operator,
  values: readonly Value[],
): FilterInput {
  switch (operator) {
    case '~':
      return anyOf(values.map((contains) => ({ [field]: { contains } })));
    case '^':
      return anyOf(values.map((prefix) => ({ [field]: { prefix } })));
    case '>':
      return anyOf(values.map((gte) => ({ [field]: { gte } })));
    case '<':
      return anyOf(values.map((lte) => ({ [field]: { lte } })));
    case '':
      if (kind === 'Boolean' || kind === 'Minimum') return { [field]: values[0] };
      return { [field]: kind === 'Enum' ? values : { in: values } };
  }
}

function anyOf(conditions: readonly FilterInput[]): FilterInput {
  return conditions.length === 1 && conditions[0] !== undefined ? conditions[0] : { or: conditions };
}

/** `octets` or `octets:asc`, in the names of GraphQL's enum: OCTETS. */
export function orderOf(parameters: Parameters): ListArguments['orderBy'] {
  const text = text1(parameters, 'orderBy');
  if (text === undefined) return null;
  const [field = '', direction] = text.split(':');
  const order = { field: constantCase(field) };
  return direction === undefined ? order : { ...order, direction: direction.toUpperCase() as OrderDirection };
}

/** startTime → START_TIME */
export function constantCase(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
}

/** START_TIME → startTime */
export function camelCase(constant: string): string {
  return constant.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function text1(parameters: Parameters, name: string): string | undefined {
  const value = parameters.get(name)?.[0];
  return typeof value === 'string' ? value : undefined;
}

export function texts(parameters: Parameters, name: string): string[] {
  return (parameters.get(name) ?? []).filter((value) => typeof value === 'string');
}

export function number1(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name)?.[0];
  return typeof value === 'number' ? value : undefined;
}

export function flag(parameters: Parameters, name: string): boolean {
  return parameters.get(name)?.[0] === true;
}

/** Renames GraphQL's `first` in errors to what REST calls it. */
export function inRestWords(error: unknown): unknown {
  if (!(error instanceof ProcflowError)) return error;
  const rename = (text: string): string => text.replace(/\bfirst\b/, 'pageSize').replace(/\bthe cursor\b/, 'pageToken');
  const errors = error.errors.map(({ parameter, message }) => ({
    parameter: rename(parameter),
    message: rename(message),
  }));
  return new ProcflowError(error.code, rename(error.message), { errors, cause: error.cause });
}
