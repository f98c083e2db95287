import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './paths.mjs';
import { say } from './report.mjs';
import { runQuietly } from './run.mjs';
import { contentHash, isStamped, stamp } from './stamp.mjs';

const SOURCES = ['src', 'test', 'bench', 'schema', 'openapi.yaml', 'tsconfig.json', 'package-lock.json'];

/** The TypeScript build, into dist/. */
export function typescriptStep() {
  const hash = contentHash(SOURCES);
  return {
    due: () => !isStamped('typescript', hash) || !existsSync(join(ROOT, 'dist/src/main.js')),
    run: async () => {
      say('compiling TypeScript');
      removeOrphans();
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      await runQuietly('the TypeScript build', process.execPath, [tsc, '--project', ROOT], { cwd: ROOT });
      stamp('typescript', hash);
    },
  };
}

/** Output whose source is gone: a test that was deleted or renamed must not go on running. */
function removeOrphans() {
  const dist = join(ROOT, 'dist');
  if (!existsSync(join(dist, 'src/main.js'))) {
    // The compiler's notes would make it believe that all is there.
    rmSync(join(dist, '.tsbuildinfo'), { force: true });
    return;
  }
  for (const file of readdirSync(dist, { recursive: true })) {
    const source = file.replace(/\.js(\.map)?$/, '.ts');
    if (source !== file && !existsSync(join(ROOT, source))) rmSync(join(dist, file));
  }
}
