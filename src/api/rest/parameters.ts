import { ProcflowError, type ParameterError } from '../../errors.js';
import { didYouMean, nearest } from '../../text.js';
import { parseTime, type TimeArgument } from '../query/index.js';
import type { ParameterSchema, SpecOperation } from './spec.js';

export type Value = string | number | boolean | TimeArgument;
/** The parameters of a request by name; lists are complete, single values are lists of one. */
export type Parameters = ReadonlyMap<string, readonly Value[]>;

/** More parameters in one request are refused. */
const MAX_PARAMETERS = 200;
const MAX_VALUES = 10_000;

/**
 * Reads a query string by what openapi.yaml says of the operation.
 * @throws ProcflowError UNKNOWN_PARAMETER or INVALID_ARGUMENT, naming every parameter that is wrong and the nearest known
 */
export function readParameters(search: string, operation: SpecOperation): Parameters {
  const values = new Map<string, Value[]>();
  const errors: (ParameterError & { unknown?: boolean })[] = [];
  const given = [...new URLSearchParams(search)];
  if (given.length > MAX_PARAMETERS) {
    throw new ProcflowError(
      'INVALID_ARGUMENT',
      `a request has at most ${MAX_PARAMETERS} parameters, not ${given.length}`,
    );
  }
  for (const [name, text] of given) {
    const parameter = operation.query.get(name);
    if (parameter === undefined) {
      const message = `there is no parameter ${JSON.stringify(name.slice(0, 100))}${suggestion(name, operation)}`;
      errors.push({ parameter: name.slice(0, 100), message, unknown: true });
      continue;
    }
    try {
      const known = values.get(name) ?? [];
      known.push(...readValues(text, parameter.schema));
      if (parameter.schema.type !== 'array' && known.length > 1) throw new Error('is given more than once');
      if (known.length > MAX_VALUES) throw new Error(`has more than ${MAX_VALUES} values`);
      values.set(name, known);
    } catch (error) {
      errors.push({ parameter: name, message: `${name} ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  for (const { name, required } of operation.query.values()) {
    if (required === true && !values.has(name) && !errors.some(({ parameter }) => parameter === name)) {
      errors.push({ parameter: name, message: `${name} is required` });
    }
  }
  if (errors.length > 0) throw refusal(errors);
  return values;
}

function refusal(errors: readonly (ParameterError & { unknown?: boolean })[]): ProcflowError {
  const code = errors.every(({ unknown }) => unknown === true) ? 'UNKNOWN_PARAMETER' : 'INVALID_ARGUMENT';
  return new ProcflowError(code, errors.map(({ message }) => message).join('; '), {
    errors: errors.map(({ parameter, message }) => ({ parameter, message })),
  });
}

/** The names without their operators are what people mistype; with the operator they had, when that exists. */
function suggestion(name: string, operation: SpecOperation): string {
  const parts = /^(not\.)?(.*?)([~^<>]?)$/.exec(name.slice(0, 100));
  const plain = [...operation.query.keys()].filter((known) => /^[A-Za-z]+$/.test(known));
  const near = nearest(parts?.[2] ?? name, plain);
  if (near === undefined) return `; known are ${plain.join(', ')}`;
  const full = `${parts?.[1] ?? ''}${near}${parts?.[3] ?? ''}`;
  if (full !== name && operation.query.has(full)) return `; did you mean ${JSON.stringify(full)}?`;
  return near === name ? '' : `; did you mean ${JSON.stringify(near)}?`;
}

function readValues(text: string, schema: ParameterSchema): Value[] {
  if (schema.type !== 'array') return [readValue(text, schema)];
  const items = schema.items;
  if (items === undefined) return [text];
  return splitList(text).map((item) => readValue(item, items));
}

/** Commas separate; one that belongs to a value is written `\,`. */
function splitList(text: string): string[] {
  if (!text.includes('\\')) return text.split(',');
  return [...text.matchAll(/((?:\\[\s\S]|[^,\\])*)(?:,|$)/g)]
    .slice(0, text.endsWith(',') ? undefined : -1)
    .map(([, item = '']) => item.replace(/\\([,\\])/g, '$1'));
}

function readValue(text: string, schema: ParameterSchema): Value {
  switch (schema.type) {
    case 'integer':
    case 'number':
      return readNumber(text, schema);
    case 'boolean':
      if (text === 'true' || text === '') return true;
      if (text === 'false') return false;
      throw new Error(`is true or false, not ${shown(text)}`);
    case 'string':
      return readText(text, schema);
    case 'array':
      throw new Error('is a list of lists');
  }
}

function readNumber(text: string, { type, minimum, maximum }: ParameterSchema): number {
  const isNumber = type === 'integer' ? /^-?\d{1,19}$/.test(text) : /^-?\d{1,19}(\.\d{1,19})?$/.test(text);
  if (!isNumber) throw new Error(`takes ${type === 'integer' ? 'a whole number' : 'a number'}, not ${shown(text)}`);
  const value = Number(text);
  if (minimum !== undefined && value < minimum) throw new Error(`is at least ${minimum}, not ${value}`);
  if (maximum !== undefined && value > maximum) throw new Error(`is at most ${maximum}, not ${value}`);
  return value;
}

function readText(text: string, schema: ParameterSchema): Value {
  if (schema.maxLength !== undefined && text.length > schema.maxLength) {
    throw new Error(`is at most ${schema.maxLength} characters long`);
  }
  if (schema.format === 'time') {
    try {
      // In a query string a plus is a space; in a time it can only have been the zone's.
      return parseTime(text.replace(/ (?=\d\d:\d\d$)/, '+'));
    } catch (error) {
      throw new Error(`is wrong: ${error instanceof Error ? error.message : ''}`);
    }
  }
  if (schema.enum === undefined) return text;
  const lower = text.toLowerCase();
  const value = schema.enum.find((known) => known.toLowerCase() === lower);
  if (value !== undefined) return value;
  throw new Error(
    `has no value ${shown(text)}${didYouMean(text, schema.enum) || `; known are ${schema.enum.join(', ')}`}`,
  );
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
