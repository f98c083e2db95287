import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child } from './children.js';
import { compile } from './compile.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const sources = join(root, 'test/traffic');
const build = join(root, 'dist/traffic');

/** As the generators' exit code says that this machine cannot do what is asked. */
const EXIT_UNSUPPORTED = 77;

/** What one process moved on one socket, by the return values of its own system calls. */
export interface SocketReport {
  readonly side: 'client' | 'server';
  readonly protocol: string;
  readonly pid: number;
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly remotePort: number;
  /** How many sockets this sums; 1 for most. */
  readonly sockets: number;
  readonly sent: number;
  readonly received: number;
  readonly sendCalls: number;
  readonly receiveCalls: number;
  /** Name of the errno that ended it. */
  readonly error: string;
}

export interface Report {
  /** The main process, parent of the others. */
  readonly pid: number;
  readonly sockets: readonly SocketReport[];
}

export type Options = Readonly<Record<string, string | number>>;

let built: Promise<unknown> | undefined;

/** Compiles the generators that are out of date. */
export function buildGenerators(): Promise<unknown> {
  built ??= compile(sources, build);
  return built;
}

/** The machine cannot do what a scenario needs. */
export class Unsupported extends Error {}

/** A program that makes known traffic, in rounds, and keeps its sockets open between them. */
export class Generator {
  /** Nothing that it does is earlier. */
  readonly startedAt = new Date();
  readonly #lines: AsyncGenerator<string>;

  private constructor(private readonly child: Child) {
    this.#lines = child.lines();
  }

  static async start(program: string, options: Options = {}): Promise<Generator> {
    await buildGenerators();
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    return new Generator(new Child(join(build, program), args));
  }

  /** What all sockets moved until the end of the round that is under way. */
  async report(): Promise<Report> {
    const line = await this.#lines.next();
    if (line.done !== true) return JSON.parse(line.value) as Report;
    const { code, signal } = await this.child.ended;
    if (code === EXIT_UNSUPPORTED) throw new Unsupported(this.child.stderr.trim());
    throw new Error(`the generator ended with ${code ?? signal ?? ''}: ${this.child.stderr}`);
  }

  nextRound(): Promise<Report> {
    this.child.process.stdin?.write('\n');
    return this.report();
  }

  /** Closes all of its sockets, and ends. */
  async finish(): Promise<void> {
    this.child.process.stdin?.end();
    const { code, signal } = await this.child.ended;
    if (code !== 0) throw new Error(`the generator ended with ${code ?? signal ?? ''}: ${this.child.stderr}`);
  }

  kill(): void {
    this.child.process.kill('SIGKILL');
  }
}

/** Runs `body` with a generator that has done its first round; skips the test when the machine cannot do that. */
export async function withTraffic(
  t: TestContext,
  [program, options]: readonly [program: string, options?: Options],
  body: (generator: Generator, report: Report) => Promise<void>,
): Promise<void> {
  const generator = await Generator.start(program, options);
  try {
    await body(generator, await generator.report());
  } catch (error) {
    generator.kill();
    if (!(error instanceof Unsupported)) throw error;
    t.skip(`this kernel cannot: ${error.message}`);
  }
}

/** Why BPF cannot be used here, found out without the agent; undefined when it can. */
export async function bpfObstacle(): Promise<string | undefined> {
  await buildGenerators();
  const child = new Child(join(build, 'bpf_allowed'), []);
  const { code } = await child.ended;
  if (code === 0) return undefined;
  if (code === EXIT_UNSUPPORTED) return child.stderr.trim();
  throw new Error(`bpf_allowed ended with ${code ?? ''}: ${child.stderr}`);
}

/**
 * What to give to `skip` of tests that need the kernel's programs: false, or the reason, which is told at once together
 * with what does not run for it.
 */
export async function skipWithoutBpf(what: string): Promise<string | false> {
  const obstacle = await bpfObstacle();
  if (obstacle === undefined) return false;
  process.stdout.write(`NOT RUN: ${what}, since the kernel refuses BPF: ${obstacle}\n`);
  return `the kernel refuses BPF: ${obstacle}`;
}

/** Where the generators are. */
export const generatorsDirectory = dirname(join(build, 'x'));
