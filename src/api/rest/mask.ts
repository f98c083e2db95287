import { ProcflowError } from '../../errors.js';
import { nearest } from '../../text.js';
import type { Json } from './shape.js';

/** What `fields=` keeps: a name with nothing below it keeps all of it. */
type Mask = Map<string, Mask>;

const MAX_PATHS = 200;

/** Keeps the named paths of objects; the identity when there is no `fields=`. */
export type Cut = (value: Json) => Json;

export function cutTo(paths: readonly string[] | undefined): Cut {
  if (paths === undefined) return (value) => value;
  if (paths.length > MAX_PATHS) throw new ProcflowError('INVALID_ARGUMENT', `fields names at most ${MAX_PATHS} paths`);
  const mask: Mask = new Map();
  for (const path of paths) {
    let level = mask;
    for (const name of path.split('.')) {
      const below = level.get(name) ?? (new Map() as Mask);
      level.set(name, below);
      level = below;
    }
  }
  return (value) => cut(value, mask) as Json;
}

function cut(value: unknown, mask: Mask): unknown {
  if (mask.size === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => cut(item, mask));
  const source = value as Json;
  const kept: Record<string, unknown> = {};
  // In the order of the whole answer, whatever the order in `fields`.
  for (const name of Object.keys(source)) {
    const below = mask.get(name);
    if (below !== undefined) kept[name] = cut(source[name], below);
  }
  return kept;
}

/** @throws ProcflowError INVALID_ARGUMENT for a path that no answer of this kind has */
export function checkPaths(paths: readonly string[] | undefined, known: ReadonlySet<string>): void {
  for (const path of paths ?? []) {
    if (known.has(path)) continue;
    const near = nearest(path, known);
    const message = `fields has no path ${JSON.stringify(path.slice(0, 100))}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`;
    throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter: 'fields', message }] });
  }
}
