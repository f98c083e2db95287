import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { headersPrefix } from './node-headers.mjs';
import { ROOT } from './paths.mjs';
import { say, SetupError } from './report.mjs';
import { runQuietly } from './run.mjs';
import { contentHash, isStamped, stamp } from './stamp.mjs';

const SOURCES = ['native/binding.gyp', 'native/build-bpf.mjs', 'native/bpf', 'native/src'];
const OUTPUT = 'native/build/Release/procflow.node';

/** The native addon with its BPF programs. */
export function nativeStep() {
  const current = () =>
    contentHash([...SOURCES, 'node_modules/node-addon-api/package.json'], [process.versions.modules, process.arch]);
  return {
    due: () => !existsSync(join(ROOT, OUTPUT)) || !isStamped('native', current()),
    run: async () => {
      say('building the native addon and the BPF programs');
      const hash = current();
      await runQuietly('the native build', process.execPath, gypArguments(), { cwd: join(ROOT, 'native') });
      if (!existsSync(join(ROOT, OUTPUT))) throw new SetupError(`the native build did not make ${OUTPUT}`);
      stamp('native', hash);
    },
  };
}

function gypArguments() {
  const prefix = headersPrefix();
  if (prefix === undefined) {
    throw new SetupError(
      'the headers of Node.js are missing. Install libnode-dev, or a Node.js that comes with them (include/node).',
    );
  }
  // The headers are named, since node-gyp would download them; what is up to date is for make to know.
  const gyp = join(ROOT, 'node_modules/node-gyp/bin/node-gyp.js');
  return [gyp, 'configure', 'build', '--release', '--jobs=max', '--loglevel=warn', `--nodedir=${prefix}`];
}
