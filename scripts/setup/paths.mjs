import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Stamps of what was done; safe to delete at any time. */
export const STATE = join(ROOT, '.setup');
