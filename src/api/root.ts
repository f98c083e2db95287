import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invariant } from '../errors.js';

/** A file that is shipped beside the program, by its path from the package's directory. */
export function readShipped(path: string): string {
  return readFileSync(join(packageRoot(), path), 'utf8');
}

/** Found by looking upwards: compiled code lies deeper than its source. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'schema/query.graphql'))) {
    invariant(dirname(directory) !== directory, 'schema/ lies above the program');
    directory = dirname(directory);
  }
  return directory;
}
