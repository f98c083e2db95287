/**
 * What the agent itself takes: time until it can be asked, memory when idle and with many live flows, CPU time per flow
 * and per HTTP exchange.
 * Flows have both ends on this host, so each is two sockets to follow: a flow to elsewhere costs less.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from './lib/agent.js';
import { chooseCpus, pinSelf, type Cpus } from './lib/cpus.js';
import { benchOptions } from './lib/options.js';
import { bpfMapsMib, cpuNs, rssMib } from './lib/process-usage.js';
import { quartiles } from './lib/statistics.js';
import { reached } from './lib/table.js';
import { trafficNamed } from './lib/traffic.js';
import { buildWorkload, Workload } from './lib/workload.js';

const START_AIM_MS = 2000;
const IDLE_AIM_MIB = 150;
const FLOW_AIM_MICROS = 10;
const EXCHANGE_AIM_MICROS = 10;
const SAMPLING_AIM = 0.01;

/** Connections made and closed again: so many a second, so many in all. */
interface Made {
  readonly rate: number;
  readonly count: number;
}

interface Plan {
  readonly starts: number;
  readonly idleMs: number;
  /** Until V8 has compiled what runs again and again, when nothing else goes on: that takes more than the work itself. */
  readonly compiledMs: number;
  /** Not measured: an agent that runs for hours has its code compiled. */
  readonly warmUp: Made;
  readonly made: readonly Made[];
  /** Requests to nginx, as fast as it answers. */
  readonly exchangesMs: number;
  /** Connections held open at once. */
  readonly held: readonly number[];
  /** Processes that sleep. */
  readonly sleepers: number;
}

const FULL: Plan = {
  starts: 5,
  idleMs: 10_000,
  compiledMs: 90_000,
  warmUp: { rate: 4000, count: 20_000 },
  made: [
    { rate: 1000, count: 10_000 },
    // More than the agent remembers of ended flows: forgetting them is in it.
    { rate: 8000, count: 160_000 },
  ],
  exchangesMs: 8000,
  held: [10_000, 100_000],
  sleepers: 2000,
};
const QUICK: Plan = {
  starts: 2,
  idleMs: 1000,
  compiledMs: 1000,
  warmUp: { rate: 1000, count: 1000 },
  made: [{ rate: 1000, count: 3000 }],
  exchangesMs: 2000,
  held: [10_000],
  sleepers: 500,
};

/** How fast the flows to hold are opened. */
const HOLD_RATE = 10_000;
/** Until the last events have gone through the agent, and what it does later because of them is done. */
const SETTLE_MS = 3000;
/** For the agent to see flows that are open. */
const SEEN_TIMEOUT_MS = 60_000;
/** Beyond what a rate would take. */
const SLACK_MS = 60_000;

export async function run(): Promise<void> {
  const plan = benchOptions().quick ? QUICK : FULL;
  const cpus = chooseCpus();
  buildWorkload();
  const unpin = pinSelf(cpus.others);
  try {
    await measureStart(cpus, plan);
    await measureFlows(cpus, plan);
    await measureExchanges(cpus, plan.exchangesMs);
    for (const count of plan.held) await measureHeld(cpus, plan.idleMs, count);
    await measureSampling(cpus, plan);
  } finally {
    unpin();
  }
}

async function measureStart(cpus: Cpus, plan: Plan): Promise<void> {
  const ready: number[] = [];
  const answered: number[] = [];
  const usedMs: number[] = [];
  for (let i = 0; i < plan.starts; i++) {
    const agent = await Agent.start(cpus);
    try {
      await agent.host();
      answered.push(performance.now() - agent.startedAtMs);
      ready.push(agent.readyAtMs - agent.startedAtMs);
      usedMs.push(cpuNs(agent.pid) / 1e6);
    } finally {
      await agent.stop();
    }
  }
  const answeredMs = quartiles(answered).median;
  const times = [
    `ready after ${quartiles(ready).median.toFixed(0)} ms`,
    `first GraphQL answer after ${answeredMs.toFixed(0)} ms`,
    `${quartiles(usedMs).median.toFixed(0)} ms of CPU`,
  ];
  print('start', times.join(', '), `aim < ${START_AIM_MS} ms: ${reached(answeredMs < START_AIM_MS)}`);
}

async function measureFlows(cpus: Cpus, plan: Plan): Promise<void> {
  const agent = await Agent.start(cpus);
  try {
    const idleShare = await measureIdle(agent, plan);
    await makeConnections(cpus, plan.warmUp);
    for (const made of plan.made) await measureRate(agent, cpus, made, idleShare);
  } finally {
    await agent.stop();
  }
}

async function measureRate(agent: Agent, cpus: Cpus, made: Made, idleShare: number): Promise<void> {
  await sleep(SETTLE_MS);
  const before = await agent.host();
  const lostBefore = await agent.losses();
  const startMs = performance.now();
  const startNs = cpuNs(agent.pid);
  await makeConnections(cpus, made);
  await sleep(SETTLE_MS);
  const usedNs = cpuNs(agent.pid) - startNs - idleShare * (performance.now() - startMs) * 1e6;
  const ended = Number((await agent.host()).flowsEnded) - Number(before.flowsEnded);
  const micros = usedNs / 1000 / ended;
  print(
    `${made.count} flows at ${made.rate}/s`,
    `${micros.toFixed(1)} µs of CPU per flow; ${ended} seen to end, ${(await agent.losses()) - lostBefore} events lost`,
    `aim ≤ ${FLOW_AIM_MICROS} µs: ${reached(micros <= FLOW_AIM_MICROS)}`,
  );
}

/** With nothing shed, so that every exchange is in it. */
async function measureExchanges(cpus: Cpus, durationMs: number): Promise<void> {
  const agent = await Agent.start(cpus, ['governor.budgetPercent=0']);
  const traffic = await trafficNamed('nginx keep-alive').start(cpus);
  try {
    await sleep(durationMs / 2); // its code is compiled meanwhile
    const before = await agent.host();
    const startNs = cpuNs(agent.pid);
    const from = await traffic.workload.mark();
    await sleep(durationMs);
    const to = await traffic.workload.mark();
    const usedNs = cpuNs(agent.pid) - startNs;
    const host = await agent.host();
    const ended = Number(host.exchangesEnded) - Number(before.exchangesEnded);
    const micros = usedNs / 1000 / ended;
    const rate = Math.round(((to.operations - from.operations) / (to.atNs - from.atNs)) * 1e9);
    print(
      `exchanges at ${rate}/s`,
      `${micros.toFixed(1)} µs of CPU per exchange; ${ended} of ${to.operations - from.operations} ended meanwhile`,
      `aim ≤ ${EXCHANGE_AIM_MICROS} µs: ${reached(micros <= EXCHANGE_AIM_MICROS)}`,
    );
    for (const { place, count } of host.losses) if (Number(count) > 0) print('', `lost: ${place} ${count}`, '');
  } finally {
    await traffic.stop();
    await agent.stop();
  }
}

/** @returns the share of a CPU that the agent takes with nothing to do */
async function measureIdle(agent: Agent, { idleMs, compiledMs }: Plan): Promise<number> {
  await sleep(compiledMs);
  const share = await cpuShare(agent, idleMs);
  const rss = rssMib(agent.pid);
  print(
    'idle',
    `RSS ${rss.toFixed(0)} MiB, ${percent(share)} of a CPU, BPF maps ${bpfMapsMib(agent.pid).toFixed(0)} MiB`,
    `aim RSS < ${IDLE_AIM_MIB} MB: ${reached(rss * 1.048576 < IDLE_AIM_MIB)}`,
  );
  return share;
}

async function makeConnections(cpus: Cpus, { rate, count }: Made): Promise<void> {
  const options = { mode: 'connections', cpu: cpus.workload, rate, count };
  await withWorkload(cpus, options, (workload) => reachCount(workload, rate, count));
}

async function measureHeld(cpus: Cpus, idleMs: number, count: number): Promise<void> {
  const agent = await Agent.start(cpus);
  try {
    const options = { mode: 'hold', cpu: cpus.workload, rate: HOLD_RATE, count };
    await withWorkload(cpus, options, async (workload) => {
      await reachCount(workload, HOLD_RATE, count);
      await agent.untilHost(({ liveFlows }) => liveFlows >= count, SEEN_TIMEOUT_MS);
      await sleep(SETTLE_MS);
      const share = await cpuShare(agent, idleMs);
      const rss = `RSS ${rssMib(agent.pid).toFixed(0)} MiB`;
      const { lastPollMs, pollIntervalMs } = await agent.host();
      const poll = `read every ${pollIntervalMs?.toFixed(0) ?? '?'} ms in ${lastPollMs?.toFixed(1) ?? '?'} ms`;
      print(`${count} live flows`, `${rss}, ${percent(share)} of a CPU to follow them, silent; ${poll}`, '');
    });
  } finally {
    await agent.stop();
  }
}

/** What it takes to read each second what every process has spent, where all of them sleep: two agents side by side. */
async function measureSampling(cpus: Cpus, { idleMs, compiledMs, sleepers: count }: Plan): Promise<void> {
  await withWorkload(cpus, { mode: 'sleep', cpu: cpus.workload, count }, async (workload) => {
    while ((await workload.mark()).operations < count) await sleep(50);
    const sampling = await Agent.start(cpus);
    try {
      const without = await Agent.start(cpus, ['capture.resources=false']);
      try {
        await sleep(compiledMs);
        const shares = await Promise.all([cpuShare(sampling, 2 * idleMs), cpuShare(without, 2 * idleMs)]);
        const share = shares[0] - shares[1];
        const aim = `aim < ${percent(SAMPLING_AIM)}: ${reached(share < SAMPLING_AIM)}`;
        print(`${count} sleeping processes`, `${percent(share, 2)} of a CPU to sample them each second`, aim);
      } finally {
        await without.stop();
      }
    } finally {
      await sampling.stop();
    }
  });
}

async function withWorkload(
  cpus: Cpus,
  options: Parameters<typeof Workload.start>[0],
  use: (workload: Workload) => Promise<void>,
): Promise<void> {
  const workload = await Workload.start(options, cpus.others);
  try {
    await use(workload);
  } finally {
    await workload.stop();
  }
}

/** @throws Error when the workload takes much longer than its rate */
async function reachCount(workload: Workload, rate: number, count: number): Promise<void> {
  const deadline = performance.now() + (count / rate) * 1000 + SLACK_MS;
  while ((await workload.mark()).operations < count) {
    if (performance.now() > deadline) throw new Error(`${count} connections at ${rate}/s were not made in time`);
    await sleep(50);
  }
}

async function cpuShare(agent: Agent, durationMs: number): Promise<number> {
  const startMs = performance.now();
  const startNs = cpuNs(agent.pid);
  await sleep(durationMs);
  return (cpuNs(agent.pid) - startNs) / 1e6 / (performance.now() - startMs);
}

function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

function print(what: string, value: string, aim: string): void {
  console.log(`${what.padEnd(24)} ${value}${aim === '' ? '' : `  (${aim})`}`);
}
