import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './children.js';
import type { Cpus } from './cpus.js';
import { AGENT_PROGRAM } from './paths.js';
import { freePort } from './ports.js';
import { temporaryFolder } from './temporary.js';
import type { RunningTool, Tool } from './tool.js';

/** Far beyond its aim: on a busy machine a late start is a number, not an error. */
const READY_TIMEOUT_MS = 30_000;
/** A question to an agent that digests a burst may take long; one that never answers is an error. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Seldom enough that asking does not slow the start down. */
const READY_STEP_MS = 20;

/** The governor sheds, one tier at a time, what is over its budget for three seconds. */
const SETTLED_MS = 6000;
const SETTLE_TIMEOUT_MS = 60_000;

/** What the benchmarks ask an agent about itself. */
export interface HostState {
  readonly source: string;
  readonly sourceReason: string | null;
  readonly liveFlows: number;
  readonly flowsEnded: number | string;
  readonly exchangesEnded: number | string;
  readonly lastPollMs: number | null;
  readonly pollIntervalMs: number | null;
  readonly tiers: readonly { readonly name: string; readonly state: string }[];
  readonly losses: readonly { readonly place: string; readonly count: number | string }[];
}

const HOST_QUERY = `{
  host { source sourceReason liveFlows flowsEnded exchangesEnded lastPollMs pollIntervalMs tiers { name state } losses { place count } }
}`;

/** The whole agent, as `npm start` runs it, with the default configuration except for where it listens. */
export class Agent implements RunningTool {
  private constructor(
    private readonly child: Child,
    private readonly url: string,
    /** On the clock of `performance.now()`, like the next. */
    readonly startedAtMs: number,
    /** When /readyz answered 200. */
    readonly readyAtMs: number,
    private readonly removeFolder: () => Promise<void>,
  ) {}

  static async start(cpus: Cpus, settings: readonly string[] = []): Promise<Agent> {
    const folder = temporaryFolder();
    const config = join(folder.path, 'procflow.yaml');
    // An empty file, and no variables: what the machine has configured is no matter here.
    writeFileSync(config, '');
    const port = await freePort();
    const flags = ['--config', config, '--port', `${port}`, '--socket', join(folder.path, 'procflow.sock')];
    const sets = ['log.level=warn', ...settings].flatMap((setting) => ['--set', setting]);
    const args = [AGENT_PROGRAM, 'run', ...flags, ...sets];
    const startedAtMs = performance.now();
    const child = await Child.start(process.execPath, args, { cpu: cpus.others, env: plainEnvironment() });
    const url = `http://127.0.0.1:${port}`;
    try {
      await child.until(() => answersReady(url), READY_TIMEOUT_MS, READY_STEP_MS);
    } catch (error) {
      await child.stop();
      await folder.remove();
      throw error;
    }
    return new Agent(child, url, startedAtMs, performance.now(), folder.remove);
  }

  get pid(): number {
    return this.child.pid;
  }

  async host(): Promise<HostState> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: HOST_QUERY }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const text = await response.text();
    const { data } = JSON.parse(text) as { data?: { host: HostState } | null };
    if (data === undefined || data === null) throw new Error(`the agent answered ${response.status}: ${text}`);
    return data.host;
  }

  /** Waits until the agent says so of itself. @throws Error when it does not in time */
  async untilHost(condition: (host: HostState) => boolean, timeoutMs: number): Promise<void> {
    await this.child.until(async () => condition(await this.host()), timeoutMs, 100);
  }

  /** What it did not see; that it remembers only so many of what has ended is no such loss. */
  async losses(): Promise<number> {
    const unseen = (await this.host()).losses.filter(({ place }) => !/^ended(Flows|Exchanges)$/.test(place));
    return unseen.reduce((sum, { count }) => sum + Number(count), 0);
  }

  async stop(): Promise<void> {
    await this.child.stop();
    await this.removeFolder();
  }
}

/** The agent as it is configured by default, measured when no tier has been shed or restored for some seconds. */
export function settledAgentTool(name: string): Tool {
  return {
    name,
    async start(cpus) {
      const agent = await Agent.start(cpus);
      return {
        pid: agent.pid,
        settled: () => untilSettled(agent),
        losses: () => agent.losses(),
        stop: () => agent.stop(),
      };
    },
  };
}

async function untilSettled(agent: Agent): Promise<void> {
  let tiers = '';
  let since = performance.now();
  await agent.untilHost((host) => {
    const now = JSON.stringify(host.tiers);
    if (now !== tiers) since = performance.now();
    tiers = now;
    return performance.now() - since > SETTLED_MS;
  }, SETTLE_TIMEOUT_MS);
}

/** The agent as a tool to compare with. */
export function agentTool(name: string, settings: readonly string[]): Tool {
  return { name, start: (cpus) => Agent.start(cpus, settings) };
}

function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PROCFLOW_')));
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
