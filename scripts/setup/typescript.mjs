import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
      await writeOpenApi();
      stamp('typescript', hash);
    },
  };
}

/** Reading YAML of this size takes a good part of the agent's start, so that it is done here. */
async function writeOpenApi() {
  // Imported only now: before the npm step it may not be there.
  const { parse } = await import('yaml');
  const document = parse(readFileSync(join(ROOT, 'openapi.yaml'), 'utf8'), { maxAliasCount: -1 });
  writeFileSync(join(ROOT, 'dist/openapi.json'), JSON.stringify(document));
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
