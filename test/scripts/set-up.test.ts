import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../temporary.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A project of nothing but the set-up scripts, which find their project by where they lie. */
function projectWith(script: string): string {
  const directory = temporaryDirectory();
  cpSync(join(root, 'scripts'), join(directory, 'scripts'), { recursive: true });
  writeFileSync(join(directory, 'try.mjs'), script);
  return directory;
}

test('a set-up with nothing to do says so and does nothing', () => {
  const setUp = () => spawnSync(process.execPath, ['scripts/setup.mjs'], { cwd: root, encoding: 'utf8' });
  const first = setUp();
  assert.equal(first.status, 0, first.stderr);
  assert.equal(setUp().stderr, 'set-up: nothing to do\n');
});

describe('the lock', () => {
  const script = `
    import { appendFileSync } from 'node:fs';
    import { acquireLock } from './scripts/setup/lock.mjs';
    const release = await acquireLock();
    appendFileSync('journal', 'in ' + process.pid + '\\n');
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    appendFileSync('journal', 'out ' + process.pid + '\\n');
    release();
  `;

  async function runAtOnce(directory: string, count: number): Promise<string[]> {
    const start = (): ChildProcess =>
      spawn(process.execPath, ['try.mjs'], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
    const children = Array.from({ length: count }, start);
    const codes = await Promise.all(children.map((child) => once(child, 'exit')));
    assert.deepEqual(codes, Array<[number, null]>(count).fill([0, null]));
    return readFileSync(join(directory, 'journal'), 'utf8').trimEnd().split('\n');
  }

  /** Whoever goes in comes out before the next one goes in. */
  function assertOneAtATime(journal: readonly string[], count: number): void {
    assert.equal(journal.length, 2 * count);
    for (let i = 0; i < journal.length; i += 2) {
      assert.equal(journal[i]?.replace('in ', ''), journal[i + 1]?.replace('out ', ''));
    }
  }

  test('lets one set-up work at a time', async () => {
    assertOneAtATime(await runAtOnce(projectWith(script), 4), 4);
  });

  test('is free again when its owner was killed', async () => {
    const directory = projectWith(script);
    const killed = `
      import { acquireLock } from './scripts/setup/lock.mjs';
      await acquireLock();
      process.kill(process.pid, 'SIGKILL');
    `;
    const owner = spawnSync(process.execPath, ['--input-type=module', '-e', killed], {
      cwd: directory,
      encoding: 'utf8',
    });
    assert.equal(owner.signal, 'SIGKILL', owner.stderr);
    assertOneAtATime(await runAtOnce(directory, 2), 2);
  });
});

test('a stamp holds as long as the contents are the same', () => {
  const directory = projectWith(`
    import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
    import { contentHash, isStamped, stamp } from './scripts/setup/stamp.mjs';
    const done = () => isStamped('step', contentHash(['src', 'gone']));
    mkdirSync('src/build', { recursive: true });
    writeFileSync('src/a.ts', '1');
    const seen = [done()];
    stamp('step', contentHash(['src', 'gone']));
    seen.push(done());
    utimesSync('src/a.ts', 1, 1);
    writeFileSync('src/build/output', 'x');
    seen.push(done());
    writeFileSync('src/b.ts', '');
    seen.push(done());
    console.log(seen.join(' '));
  `);
  const { stdout, stderr } = spawnSync(process.execPath, ['try.mjs'], { cwd: directory, encoding: 'utf8' });
  assert.equal(stdout, 'false true true false\n', stderr);
});

test('a step that fails shows the end of its output, the cause first', () => {
  const directory = projectWith(`
    import { runQuietly } from './scripts/setup/run.mjs';
    await runQuietly('quiet', process.execPath, ['-e', '']);
    await runQuietly('counting', process.execPath, ['-e', 'for (let i = 0; i < 100; i++) console.log(i); process.exit(3)'])
      .catch((error) => console.log(error.message));
  `);
  const { stdout } = spawnSync(process.execPath, ['try.mjs'], { cwd: directory, encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines[0], 'counting failed (exit code 3). The end of its output:');
  assert.deepEqual([lines[1], lines.at(-1), lines.length], ['  60', '  99', 41]);
});
