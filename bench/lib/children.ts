import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { undoLater } from './cleanup.js';
import { WORKLOAD_PROGRAM } from './paths.js';

const STOP_TIMEOUT_MS = 15_000;
/** Enough of what a program said to explain its failure. */
const KEPT_OUTPUT = 8192;

/** A program that is certainly stopped, by its pid: by us, after an error, or by the kernel when we are killed. */
export class Child {
  readonly pid: number;
  readonly stop: () => Promise<void>;
  private readonly exited: Promise<unknown>;
  private output = '';

  private constructor(
    readonly name: string,
    private readonly process: ChildProcessByStdio<Writable, Readable, Readable>,
  ) {
    if (process.pid === undefined) throw new Error(`${name} cannot be started`);
    this.pid = process.pid;
    this.exited = once(process, 'exit');
    for (const stream of [process.stdout, process.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-KEPT_OUTPUT);
      });
    }
    // A write to a child that is gone fails here; that it is gone is seen elsewhere.
    process.stdin.on('error', () => undefined);
    this.stop = undoLater(() => this.end());
  }

  /** Starts a program on a CPU, to be ended with us. */
  static async start(
    program: string,
    args: readonly string[],
    { cpu, env }: { cpu: number; env?: NodeJS.ProcessEnv },
  ): Promise<Child> {
    const command = ['launch', `${cpu}`, program, ...args];
    const options = env === undefined ? {} : { env };
    const child = spawn(WORKLOAD_PROGRAM, command, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    await once(child, 'spawn');
    return new Child(program, child);
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** What it printed last, both streams. */
  get said(): string {
    return this.output.trim();
  }

  write(text: string): void {
    this.process.stdin.write(text);
  }

  onOutput(listener: (text: string) => void): void {
    this.process.stdout.on('data', listener);
  }

  /** @throws Error with what the program said, when it ends or the time is over before the condition holds */
  async until(condition: () => boolean | Promise<boolean>, timeoutMs: number, stepMs = 5): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await condition())) {
      if (!this.running) throw new Error(`${this.name} ended: ${this.said}`);
      if (performance.now() > deadline) throw new Error(`${this.name} was not ready in ${timeoutMs} ms: ${this.said}`);
      await sleep(stepMs);
    }
  }

  private async end(): Promise<void> {
    if (!this.running) return;
    this.process.kill('SIGTERM');
    const timeout = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timeout);
  }
}
