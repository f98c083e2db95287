import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

const PARTS = [
  ...['dist/src', 'dist/openapi.json', 'native/build/Release/procflow.node'],
  ...['schema', 'openapi.yaml', 'package.json', 'node_modules'],
];

/** Copies the build below `directory`, where every user can read it wherever the project is, and gives its main.js. */
export function copyBuild(directory: string): string {
  const program = join(directory, 'program');
  mkdirSync(program);
  for (const part of PARTS) cpSync(join(root, part), join(program, part), { recursive: true });
  return join(program, 'dist/src/main.js');
}
