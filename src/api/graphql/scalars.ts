import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { ProcflowError } from '../../errors.js';
import { formatTime, parseTime, type TimeArgument } from '../query/index.js';

/** Times are µs inside and RFC 3339 outside; as an argument also Unix seconds and times before now. */
export const dateTime = new GraphQLScalarType<TimeArgument, string>({
  name: 'DateTime',
  serialize: (micros) => formatTime(micros as number),
  parseValue: parseTimeValue,
  parseLiteral: (node) => parseTimeValue(literal(node)),
});

/** Counts are numbers inside; outside a number as far as every JSON reader has it exactly, a string above. */
export const long = new GraphQLScalarType<number, number | string>({
  name: 'Long',
  serialize: (value) => formatLong(value as number),
  parseValue: parseLong,
  parseLiteral: (node) => parseLong(literal(node)),
});

export function formatLong(value: number): number | string {
  return value <= Number.MAX_SAFE_INTEGER ? value : BigInt(value).toString();
}

function parseLong(value: unknown): number {
  const number = typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) return number;
  throw new GraphQLError(`Long takes a whole number, or a string of digits, not ${JSON.stringify(value)}`);
}

function parseTimeValue(value: unknown): TimeArgument {
  try {
    return parseTime(value);
  } catch (error) {
    throw error instanceof ProcflowError ? new GraphQLError(error.message) : error;
  }
}

function literal(node: ValueNode): unknown {
  switch (node.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.STRING:
      return node.value;
    default:
      return undefined;
  }
}
