/**
 * `npm run fuzz`: feeds what parses hostile input with a million inputs each, under AddressSanitizer and
 * UndefinedBehaviorSanitizer. `npm run fuzz -- WORD… [--runs=N] [--ndpi=DIRECTORY]` takes the targets with one of the words
 * in their name; with the sources of nDPI in DIRECTORY, nDPI is instrumented as well.
 *
 * A target is a file in native/fuzz: its head names the sources and libraries that it needs, and a module beside it
 * (NAME.seeds.mjs), if there is one, gives inputs to begin with. What was found interesting is kept in dist/fuzz and used again.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './setup/paths.mjs';
import { say } from './setup/report.mjs';
import { passOn } from './setup/run.mjs';

const TARGETS = join(ROOT, 'native/fuzz');
const OUTPUT = join(ROOT, 'dist/fuzz');
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
/** nDPI reads numbers where they lie, and shifts as it likes: only what leaves an object is looked for in it. */
const NDPI_SANITIZERS = ['-fsanitize=address,bounds,object-size', '-fno-sanitize-recover=all'];
const CLANG = process.env['CLANG'] ?? 'clang';

const { values: options, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1000000' }, ndpi: { type: 'string' } },
});

const names = readdirSync(TARGETS)
  .filter((file) => file.endsWith('.cc'))
  .map((file) => file.slice(0, -3))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (names.length === 0) {
  say(`no target in ${TARGETS} has ${words.join(' or ')} in its name`);
  process.exit(1);
}
for (const name of names) await fuzz(name);

async function fuzz(name) {
  const directory = join(OUTPUT, name);
  const corpus = join(directory, 'corpus');
  mkdirSync(corpus, { recursive: true });
  const program = join(directory, 'fuzz');
  await build(name, program);

  const module = join(TARGETS, `${name}.seeds.mjs`);
  const seeds = existsSync(module) ? (await import(module)).seeds() : [];
  for (const seed of seeds) writeFileSync(join(corpus, createHash('sha1').update(seed).digest('hex')), seed);
  say(`${name}: ${options.runs} inputs; what fails is kept as ${directory}/crash-…`);
  const limits = [`-runs=${options.runs}`, '-max_len=16384', '-timeout=10', '-rss_limit_mb=2048'];
  const code = await passOn(program, [...limits, `-artifact_prefix=${directory}/`, '-print_final_stats=1', corpus]);
  if (code !== 0) process.exit(code);
}

async function build(name, program) {
  const head = readFileSync(join(TARGETS, `${name}.cc`), 'utf8');
  const listed = (what) => new RegExp(`^// ${what}: (.*)$`, 'm').exec(head)?.[1].split(' ') ?? [];
  const sources = [`fuzz/${name}.cc`, ...listed('Sources')].map((file) => join(ROOT, 'native', file));
  const libraries = listed('Libraries');
  if (options.ndpi !== undefined && libraries.includes('-lndpi')) {
    libraries[libraries.indexOf('-lndpi')] = await buildNdpi(options.ndpi, join(OUTPUT, 'ndpi'));
  }
  say(`${name}: building`);
  await mustPass('clang++', [
    ...['-std=c++20', '-g', '-O1', '-Wall', '-Wextra', '-Werror', ...SANITIZERS, '-fsanitize=fuzzer'],
    ...['-o', program, ...sources, ...libraries],
  ]);
}

/** A library of nDPI's sources, with the configuration of the one that is installed. */
async function buildNdpi(source, directory) {
  const library = join(directory, 'libndpi.a');
  if (existsSync(library)) return library;
  const lib = join(source, 'src/lib');
  const files = ['', 'protocols', 'third_party/src'].flatMap((folder) =>
    readdirSync(join(lib, folder))
      .filter((file) => file.endsWith('.c'))
      .map((file) => join(lib, folder, file)),
  );
  say(`nDPI: building ${files.length} files of ${source}`);
  mkdirSync(directory, { recursive: true });
  const flags = ['-w', '-g', '-O1', '-DNDPI_LIB_COMPILATION', ...NDPI_SANITIZERS, '-fsanitize=fuzzer-no-link'];
  const include = ['/usr/include/ndpi', join(lib, 'third_party/include')].map((path) => `-I${path}`);
  const objects = files.map((_, index) => join(directory, `${index}.o`));
  const waiting = files.map((file, index) => [file, objects[index]]);
  const worker = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      await mustPass(CLANG, [...flags, ...include, '-c', next[0], '-o', next[1]]);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  await mustPass('ar', ['rcs', library, ...objects]);
  return library;
}

async function mustPass(command, args) {
  const code = await passOn(command, args);
  if (code !== 0) process.exit(code);
}
