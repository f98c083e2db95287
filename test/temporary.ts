import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** An empty directory of this test file's own, removed when its tests are done. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'procflow-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
