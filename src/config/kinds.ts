import { isIP } from 'node:net';
import { z } from 'zod';
import { ProcflowError } from '../errors.js';
import { parseDestination } from '../export/destination.js';
import { parseSpecification } from '../export/specification.js';
import { asZ85, isCurveKey } from '../export/zmq/curve-key.js';
import { parseBytes, parseMilliseconds } from './units.js';

/** How a setting's text from the environment or a flag becomes a value: see `assignments.ts`. */
export type SettingKind = 'boolean' | 'number' | 'text' | 'list';

/** What help, printed configuration and text sources know of a setting. */
export interface About {
  readonly description: string;
  readonly kind: SettingKind;
  /** The value's name in help: `--api-port <port>`. */
  readonly placeholder: string;
  /** Whether a running agent takes a new value over (SIGHUP). */
  readonly runtime?: boolean;
}

declare module 'zod' {
  interface GlobalMeta {
    about?: About;
  }
}

interface Options<T> {
  readonly default: T;
  readonly runtime?: boolean;
}

function setting<S extends z.ZodType>(schema: S, about: About, options: Options<z.core.util.NoUndefined<z.output<S>>>) {
  const meta = options.runtime === undefined ? about : { ...about, runtime: options.runtime };
  return schema.default(options.default).meta({ about: meta });
}

function expected(what: string): { error: string } {
  return { error: `expected ${what}` };
}

export function bool(description: string, options: Options<boolean>) {
  const schema = z.boolean(expected('true or false'));
  return setting(schema, { description, kind: 'boolean', placeholder: 'boolean' }, options);
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export function integer(description: string, range: Range, options: Options<number>) {
  return setting(wholeNumber(range), { description, kind: 'number', placeholder: 'number' }, options);
}

function wholeNumber({ min, max }: Range) {
  const error = expected(`a whole number from ${min} to ${max}`);
  return z.int(error).min(min, error).max(max, error);
}

/** A share from 0 to 100, not necessarily whole. */
export function percent(description: string, options: Options<number>) {
  const error = expected('a number from 0 to 100');
  const schema = z.number(error).min(0, error).max(100, error);
  return setting(schema, { description, kind: 'number', placeholder: 'percent' }, options);
}

/** Bytes: a number, or text such as `16MiB`. */
export function bytes(description: string, range: Range, options: Options<number> & { readonly powerOfTwo?: boolean }) {
  const power = options.powerOfTwo === true;
  const error = expected(
    `a size from ${range.min} to ${range.max} bytes${power ? ' that is a power of two' : ''}, such as 4096 or 16MiB`,
  );
  const size = z.int(error).min(range.min, error).max(range.max, error);
  const schema = fromText(parseBytes, power ? size.refine((value) => Number.isInteger(Math.log2(value)), error) : size);
  return setting(schema, { description, kind: 'text', placeholder: 'size' }, options);
}

/** Milliseconds: a number, or text such as `30s`. */
export function duration(description: string, range: Range, options: Options<number>) {
  const error = expected(`a duration from ${range.min} to ${range.max} ms, such as 500 or 30s`);
  const schema = fromText(parseMilliseconds, z.int(error).min(range.min, error).max(range.max, error));
  return setting(schema, { description, kind: 'text', placeholder: 'duration' }, options);
}

/** Text that `parse` knows becomes its number; all else goes on as it is, to be refused with what was expected. */
function fromText<S extends z.ZodType>(parse: (text: string) => number | undefined, schema: S) {
  return z.preprocess((value) => (typeof value === 'string' ? (parse(value) ?? value) : value), schema);
}

export function choice<const T extends readonly [string, ...string[]]>(
  description: string,
  values: T,
  options: Options<T[number]>,
) {
  const schema = z.enum(values, expected(`one of ${values.join(', ')}`));
  return setting(schema, { description, kind: 'text', placeholder: values.join('|') }, options);
}

export function text(description: string, options: Options<string>) {
  const error = expected('a text that is not empty');
  return setting(z.string(error).min(1, error), { description, kind: 'text', placeholder: 'text' }, options);
}

/** Elements and macros, as `export/specification.ts` reads them. */
export function template(description: string, options: Options<string>) {
  const schema = z.string(expected('elements such as %IN_BYTES @PROCESS@')).superRefine(readsAs(parseSpecification));
  return setting(schema, { description, kind: 'text', placeholder: 'elements' }, options);
}

/** Refuses what `parse` refuses, with its reason. */
function readsAs(parse: (text: string) => unknown) {
  return (text: string, context: z.core.$RefinementCtx<string>): void => {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof ProcflowError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  };
}

/** A path, or null (in text also `off`). */
export function optionalPath(description: string, options: Options<string | null> & { readonly maxBytes?: number }) {
  const maxBytes = options.maxBytes ?? 4095;
  const error = expected(`a path of at most ${maxBytes} bytes, or off`);
  const path = z
    .string(error)
    .min(1, error)
    .refine((value) => Buffer.byteLength(value) <= maxBytes && !value.includes('\0'), error)
    .nullable();
  const schema = z.preprocess(offIsNull, path);
  return setting(schema, { description, kind: 'text', placeholder: 'path' }, options);
}

/** One of several versions; a number, as YAML reads them, is the one of that value. */
export function version<const T extends readonly [string, ...string[]]>(
  description: string,
  values: T,
  options: Options<T[number]>,
) {
  const named = (value: unknown): unknown =>
    typeof value === 'number' ? (values.find((one) => Number(one) === value) ?? value) : value;
  const schema = z.preprocess(named, z.enum(values, expected(`one of ${values.join(', ')}`)));
  return setting(schema, { description, kind: 'text', placeholder: values.join('|') }, options);
}

/** A public key of CURVE, in Z85, or null (in text also `off`); what is in hexadecimal becomes Z85. */
export function curveKey(description: string, options: Options<string | null>) {
  const error = expected('a public key of 40 characters (Z85), the same in hexadecimal digits, or off');
  const schema = z.preprocess(
    (value) => (value === 'off' || value === 'none' ? null : typeof value === 'string' ? asZ85(value) : value),
    z
      .string(error)
      .refine((value) => isCurveKey(value), error)
      .nullable(),
  );
  return setting(schema, { description, kind: 'text', placeholder: 'key' }, options);
}

/** A name, or null (in text also `off`). */
export function optionalText(description: string, options: Options<string | null>) {
  const error = expected('a text that is not empty, or off');
  const schema = z.preprocess(offIsNull, z.string(error).min(1, error).nullable());
  return setting(schema, { description, kind: 'text', placeholder: 'text' }, options);
}

function offIsNull(value: unknown): unknown {
  return value === 'off' || value === 'none' ? null : value;
}

export function list<S extends z.ZodType>(
  description: string,
  element: S,
  options: { readonly placeholder: string; readonly runtime?: boolean },
) {
  const schema = z.array(element, expected('a list'));
  const about: About = { description, kind: 'list', placeholder: options.placeholder };
  return setting(schema, options.runtime === undefined ? about : { ...about, runtime: options.runtime }, {
    default: [],
  });
}

// What lists are made of.

export const name = z.string(expected('a name')).min(1, expected('a name'));

export const destination = z
  .string(expected('a collector, such as ipfix://host:4739'))
  .superRefine(readsAs((text) => parseDestination(text, 10)));

export const addressOrPrefix = z
  .string(expected('an IP address or prefix, such as 10.0.0.0/8'))
  .refine(isAddressOrPrefix, expected('an IP address or prefix, such as 10.0.0.0/8'));

function isAddressOrPrefix(value: string): boolean {
  const [address, length, ...rest] = value.split('/');
  const family = isIP(address ?? '');
  if (family === 0 || rest.length > 0 || value.includes('%')) return false;
  if (length === undefined) return true;
  return /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}

export const PROTOCOLS = ['TCP', 'UDP', 'ICMP', 'ICMPV6', 'SCTP', 'RAW', 'PACKET'] as const;

export const protocol = z.preprocess(
  (value) => (typeof value === 'string' ? value.toUpperCase() : value),
  z.enum(PROTOCOLS, expected(`one of ${PROTOCOLS.join(', ').toLowerCase()}`)),
);

/** A user by name, or by number: digits alone are a uid. */
export const user = z.preprocess(
  (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
  z
    .custom<string | number>((value) => isName(value) || isUid(value), expected('a user name or number'))
    .meta({ description: 'user' }),
);

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isUid(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

const PORT_EXPECTED = expected('a port from 0 to 65535, or a range such as 8000-8080');

/** Ports with their ranges written out, each once, lowest first. */
export function ports(description: string, options: { readonly runtime?: boolean }) {
  const schema = z
    .array(z.union([z.number(), z.string()], PORT_EXPECTED), expected('a list of ports'))
    .transform((items, context) => {
      const found = new Set<number>();
      for (const [index, item] of items.entries()) {
        const range = portRange(item);
        if (range === undefined) {
          context.issues.push({ code: 'custom', message: PORT_EXPECTED.error, input: item, path: [index] });
          return z.NEVER;
        }
        for (let port = range.min; port <= range.max; port++) found.add(port);
      }
      return [...found].sort((a, b) => a - b);
    });
  return setting(schema, { description, kind: 'list', placeholder: 'ports' }, { default: [], ...options });
}

function portRange(item: number | string): Range | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(item));
  if (match === null) return undefined;
  const min = Number(match[1]);
  const max = Number(match[2] ?? match[1]);
  return min <= max && max <= 65535 ? { min, max } : undefined;
}

/** Text that compiles as a regular expression (with the `u` flag). */
export const pattern = z.string(expected('a regular expression')).superRefine((source, context) => {
  try {
    new RegExp(source, 'u');
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it does not compile';
    context.addIssue({ code: 'custom', message: `expected a regular expression: ${reason}` });
  }
});
