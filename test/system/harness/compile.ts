import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from './children.js';

/** Makes what is out of date in `build` from the Makefile in `sources`; one at a time, also between test runs. */
export async function compile(sources: string, build: string): Promise<void> {
  await run('mkdir', '-p', build);
  const make = ['make', '--silent', `--jobs=${availableParallelism()}`, '-C', sources, `BUILD=${build}`];
  await run('flock', join(build, '.lock'), ...make);
}
