import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Child } from './children.js';
import { WORKLOAD_PROGRAM, WORKLOAD_SOURCES } from './paths.js';

/** Where a workload stands: all that was done and used since it was started. */
export interface Mark {
  readonly atNs: number;
  readonly operations: number;
  readonly cpuNs: number;
}

export interface WorkloadOptions {
  readonly mode: string;
  /** The CPU of both ends. */
  readonly cpu: number;
  readonly port?: number;
  readonly rate?: number;
  readonly count?: number;
  /** A process whose CPU time counts as well: the server that is not ours. */
  readonly also?: number;
}

const READY_TIMEOUT_MS = 10_000;
const MARK_TIMEOUT_MS = 30_000;

/** Compiles the C program when its sources are newer. */
export function buildWorkload(): void {
  const files = readdirSync(WORKLOAD_SOURCES).map((file) => join(WORKLOAD_SOURCES, file));
  const built = statSync(WORKLOAD_PROGRAM, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (files.every((file) => statSync(file).mtimeMs < built)) return;
  mkdirSync(dirname(WORKLOAD_PROGRAM), { recursive: true });
  const flags = ['-O2', '-std=c11', '-D_DEFAULT_SOURCE', '-Wall', '-Wextra', '-Werror', '-o', WORKLOAD_PROGRAM];
  execFileSync('gcc', [...flags, ...files.filter((file) => file.endsWith('.c'))], { stdio: 'inherit' });
}

/** Traffic that goes on until it is stopped. */
export class Workload {
  private readonly lines: string[] = [];
  private rest = '';

  private constructor(private readonly child: Child) {
    child.onOutput((text) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
  }

  /** @param othersCpu where the process that reports runs */
  static async start(options: WorkloadOptions, othersCpu: number): Promise<Workload> {
    const { mode, ...numbers } = options;
    const flags = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const workload = new Workload(await Child.start(WORKLOAD_PROGRAM, [mode, ...flags], { cpu: othersCpu }));
    try {
      const line = await workload.nextLine(READY_TIMEOUT_MS);
      if (!line.startsWith('ready')) throw new Error(`the workload said "${line}"`);
    } catch (error) {
      await workload.stop();
      throw error;
    }
    return workload;
  }

  async mark(): Promise<Mark> {
    this.child.write('\n');
    const [atNs = NaN, operations = NaN, cpuNs = NaN] = (await this.nextLine(MARK_TIMEOUT_MS)).split(' ').map(Number);
    return { atNs, operations, cpuNs };
  }

  /** Stops both ends where they are. */
  pause(): void {
    this.child.write('p');
  }

  continue(): void {
    this.child.write('c');
  }

  stop(): Promise<void> {
    return this.child.stop();
  }

  private async nextLine(timeoutMs: number): Promise<string> {
    await this.child.until(() => this.lines.length > 0, timeoutMs, 1);
    return this.lines.shift() ?? '';
  }
}
