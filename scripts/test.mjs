/**
 * `npm test`: sets up, then runs every test with node's own runner. `npm test -- WORD…` runs the files whose path has
 * one of the words in it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setUpOrExit } from './setup/index.mjs';
import { ROOT } from './setup/paths.mjs';
import { passOn } from './setup/run.mjs';

await setUpOrExit({ tests: true });

const words = process.argv.slice(2);
const directory = join(ROOT, 'dist/test');
const files = (existsSync(directory) ? readdirSync(directory, { recursive: true }) : [])
  .filter((file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))))
  .sort();
if (files.length === 0) {
  process.stderr.write(
    `test: no test file ${words.length === 0 ? 'was built' : `has ${words.join(' or ')} in its path`}\n`,
  );
  process.exit(1);
}

// One file at a time: system tests count what the whole machine does.
const options = [
  '--enable-source-maps',
  '--test',
  '--test-reporter=spec',
  '--test-concurrency=1',
  '--test-timeout=300000',
];
process.exit(
  await passOn(process.execPath, [...options, ...files.map((file) => join('dist/test', file))], { cwd: ROOT }),
);
