import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createLog } from '../../src/log.js';
import { startApi, type Api, type ApiConfig } from '../../src/api/index.js';
import { FakeState } from '../../test/api/fake-state.js';
import { CONFIG, FakeTokens } from '../../test/api/harness-config.js';
import type { LoadOrder, LoadReport } from './api-load.js';

/** A state with flows between curl and nginx processes. */
export function stateOf(flows: number): FakeState {
  const state = new FakeState();
  const master = state.addProcess({ name: 'nginx', uid: 0, executable: '/usr/sbin/nginx' });
  const workers = Array.from({ length: 4 }, () => state.addProcess({ name: 'nginx', uid: 33, parent: master }));
  const shell = state.addProcess({ name: 'bash' });
  for (let i = 0; i < flows; i++) {
    const client = i % 10 === 0 ? state.addProcess({ parent: shell }) : undefined;
    state.addFlow({
      client: client ?? state.addProcess({ name: 'wget', parent: shell }),
      server: workers[i % workers.length] ?? null,
      clientAddress: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
      sent: i % 5000,
      received: (i * 7919) % 100_000,
    });
  }
  return state;
}

export async function apiOver(state: FakeState, config: Partial<ApiConfig> = {}): Promise<Api> {
  return await startApi({
    state,
    config: { ...CONFIG, ...config },
    tokens: new FakeTokens(),
    ready: () => true,
    exporters: () => [],
    log: createLog({ level: 'silent', format: 'json' }),
  });
}

/** The load process. */
export class Load {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./api-load.js', import.meta.url));
  }

  async order(order: LoadOrder): Promise<LoadReport> {
    this.#child.send(order);
    const [report] = (await once(this.#child, 'message')) as [LoadReport];
    return report;
  }

  stop(): void {
    this.#child.kill();
  }
}

/** CPU milliseconds that this process spends while `work` runs. */
export async function cpuMsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Whether a module is the program that was started, and not imported by another. */
export function isMain(url: string): boolean {
  return process.argv[1] !== undefined && url === new URL(`file://${process.argv[1]}`).href;
}
