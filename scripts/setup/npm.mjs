import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from './paths.mjs';
import { say } from './report.mjs';
import { runQuietly } from './run.mjs';
import { contentHash, isStamped, stamp } from './stamp.mjs';

/** The npm packages, exactly as the lock file has them. */
export function npmStep() {
  const hash = contentHash(['package-lock.json'], [process.version, process.arch]);
  return {
    due: () => !isStamped('npm', hash) || !existsSync(join(ROOT, 'node_modules/.package-lock.json')),
    run: async () => {
      say('installing npm packages');
      const [command, ...args] = [...npm(), 'ci', '--include=dev', '--no-audit', '--no-fund'];
      await runQuietly('npm ci', command, args, { cwd: ROOT });
      stamp('npm', hash);
    },
  };
}

/** The npm that called us, which need not be the one in PATH. */
function npm() {
  const caller = process.env['npm_execpath'];
  return caller !== undefined && basename(caller) === 'npm-cli.js' ? [process.execPath, caller] : ['npm'];
}
