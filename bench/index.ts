/** `npm run bench -- [WORD…] [--quick]`: runs all benchmarks, or those whose names begin with one of the words. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { cleanUpOnSignals, undoAll } from './lib/cleanup.js';
import { benchOptions } from './lib/options.js';

/** What a file beside this one exports when it is a benchmark; the others are parts of one. */
interface Benchmark {
  readonly run?: () => Promise<void>;
}

function names(): string[] {
  const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.js') && file !== 'index.js');
  return files.map((file) => basename(file, '.js')).sort();
}

function chosen(words: readonly string[]): string[] {
  const all = names();
  const unknown = words.find((word) => !all.some((name) => name.startsWith(word)));
  if (unknown !== undefined) throw new Error(`there is no benchmark "${unknown}"; there are ${all.join(', ')}`);
  return words.length === 0 ? all : all.filter((name) => words.some((word) => name.startsWith(word)));
}

cleanUpOnSignals();
try {
  for (const name of chosen(benchOptions().words)) {
    const { run } = (await import(`./${name}.js`)) as Benchmark;
    if (run === undefined) continue;
    console.log(`\n== ${name} ==`);
    await run();
  }
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await undoAll();
}
