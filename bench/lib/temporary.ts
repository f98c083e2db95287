import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { undoLater } from './cleanup.js';

/** A new folder that is deleted at the end. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'procflow-bench-'));
  return { path, remove: undoLater(() => rmSync(path, { recursive: true, force: true })) };
}
