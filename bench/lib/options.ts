/** What `npm run bench -- WORD… [--quick]` asks for. */
export interface BenchOptions {
  /** Names of benchmarks, or their beginnings; none means all. */
  readonly words: readonly string[];
  /** Few and short windows: shows that everything runs, its numbers say little. */
  readonly quick: boolean;
}

/** @throws Error when an option is not known */
export function benchOptions(args: readonly string[] = process.argv.slice(2)): BenchOptions {
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--quick');
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; usage: npm run bench -- [WORD…] [--quick]`);
  return { words: args.filter((arg) => !arg.startsWith('-')), quick: args.includes('--quick') };
}
