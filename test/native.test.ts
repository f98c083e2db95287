/** The tests of the C++ parts, in native/test: one program, with an address sanitizer in it, that runs one test at a time. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, compile, run } from './system/harness/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const build = join(root, 'dist/native-tests');
const program = join(build, 'native_tests');

/** As the program's exit code says that this machine, or this user, cannot run the test. */
const EXIT_SKIPPED = 77;

await compile(join(root, 'native/test'), build);
const names = (await run(program)).trimEnd().split('\n');

describe('native', () => {
  for (const name of names) {
    test(name, async (t) => {
      const child = new Child(program, [name]);
      const output: string[] = [];
      for await (const line of child.lines()) output.push(line);
      const { code, signal } = await child.ended;
      if (code === EXIT_SKIPPED) t.skip(output.join(' '));
      else assert.equal(code, 0, [`it ended with ${code ?? signal ?? ''}`, ...output, child.stderr].join('\n'));
    });
  }
});
