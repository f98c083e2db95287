import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, STATE } from './paths.mjs';

/**
 * Hash over the contents of files and folders (relative to the project) and some more text. By content, not by time:
 * a checkout or a copy changes times only.
 * @param {string[]} paths
 * @param {string[]} more
 */
export function contentHash(paths, more = []) {
  const hash = createHash('sha256');
  for (const text of more) hash.update(`${text}\0`);
  for (const path of paths) {
    for (const file of filesUnder(path))
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(ROOT, file)))
        .update('\0');
  }
  return hash.digest('hex');
}

/** Every file under a path, in a fixed order; build output is none of the sources. */
function filesUnder(path) {
  const full = join(ROOT, path);
  if (!existsSync(full)) return [];
  const entries = (() => {
    try {
      return readdirSync(full, { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOTDIR') return undefined;
      throw error;
    }
  })();
  if (entries === undefined) return [path];
  return entries
    .filter((entry) => entry.name !== 'build' && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(`${path}/${entry.name}`) : [`${path}/${entry.name}`]));
}

/** Whether the step was last done with this very input. */
export function isStamped(step, hash) {
  try {
    return readFileSync(join(STATE, step), 'utf8') === hash;
  } catch {
    return false;
  }
}

export function stamp(step, hash) {
  mkdirSync(STATE, { recursive: true });
  writeFileSync(join(STATE, step), hash);
}
