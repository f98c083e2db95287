/** One source of values, with the power to say where each of them stands. */
export interface Layer {
  readonly values: Mapping;
  /** Where the value of a path (or the key itself) was given, for messages: `procflow.yaml:3:7`, `--port`. */
  where(path: readonly PropertyKey[]): string;
}

export interface Mapping {
  readonly [key: string]: unknown;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Both mappings in one: where both have a value, the later one's counts; lists are replaced, not joined. */
export function merge(earlier: Mapping, later: Mapping): Mapping {
  const keys = new Set([...Object.keys(earlier), ...Object.keys(later)]);
  // From entries, so that a key called __proto__ stays a key, to be refused like any other unknown one.
  return Object.fromEntries([...keys].map((key) => [key, mergeValue(own(earlier, key), own(later, key))]));
}

function mergeValue(earlier: unknown, later: unknown): unknown {
  if (later === undefined) return earlier;
  if (isMapping(later)) {
    if (isMapping(earlier)) return merge(earlier, later);
    // A wrong value in place of a section is refused by the schema, also when a later layer sets a key below it.
    return earlier ?? later;
  }
  return later;
}

/** The value at a path. */
export function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part] as unknown;
    else value = isMapping(value) && typeof part === 'string' ? own(value, part) : undefined;
  }
  return value;
}

function own(mapping: Mapping, key: string): unknown {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}

/** A mapping that holds one value at a path. */
export function mappingOf(path: readonly string[], value: unknown): Mapping {
  return path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Mapping;
}
