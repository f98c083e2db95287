import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';

/** Everything that this test file started; what is still there when its tests are done is killed, and nothing else. */
const running = new Set<ChildProcess>();

after(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** A program with pipes for its standard streams, and what it has written to standard error so far. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #stderr = '';

  constructor(
    command: string,
    args: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
  ) {
    const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(child);
    this.process = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-100_000);
    });
    // A child that is gone has closed its end.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal });
      });
    });
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`${this.process.spawnfile} was not started`);
    return this.process.pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get isRunning(): boolean {
    return running.has(this.process);
  }

  /** Standard output in lines. */
  async *lines(): AsyncGenerator<string> {
    let rest = '';
    for await (const chunk of this.process.stdout?.setEncoding('utf8') ?? []) {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
    if (rest !== '') yield rest;
  }

  async stderrMatches(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#stderr)) {
      if (!this.isRunning) throw new Error(`${this.process.spawnfile} ended: ${this.#stderr}`);
      await Promise.race([this.ended, this.process.stderr === null ? this.ended : once(this.process.stderr, 'data')]);
    }
  }
}

/** Runs a program to its end. @throws Error with what it wrote when it fails */
export async function run(command: string, ...args: string[]): Promise<string> {
  const child = new Child(command, args);
  child.process.stdin?.end();
  let output = '';
  for await (const line of child.lines()) output += `${line}\n`;
  const { code, signal } = await child.ended;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal ?? ''}: ${child.stderr}`);
  return output;
}
