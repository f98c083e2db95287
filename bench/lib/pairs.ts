import { setTimeout as sleep } from 'node:timers/promises';
import type { Cpus } from './cpus.js';
import { cpuNs } from './process-usage.js';
import { quartiles, type Quartiles } from './statistics.js';
import type { RunningTool, Tool } from './tool.js';
import type { Workload } from './workload.js';

export interface PairOptions {
  readonly pairs: number;
  readonly windowMs: number;
  /** From a start or stop of the tool until the window begins. */
  readonly settleMs: number;
  /** No pair begins after so long, except for the first. */
  readonly limitMs: number;
}

/** What a tool does to a workload: with it over without it, of windows next to each other. */
export interface Comparison {
  /** How many there was time for. */
  readonly pairs: number;
  readonly throughput: Quartiles;
  readonly cpuPerOperation: Quartiles;
  readonly addedNsPerOperation: Quartiles;
  /** CPU that both ends got with the tool over without, the median; far from 1, somebody else took it or left it. */
  readonly cpuShare: number;
  /** CPU time per operation without the tool, the median. */
  readonly baseNs: number;
  /** What the tool itself used, in percent of a CPU, the median. */
  readonly toolCpuPercent: number;
  /** What it said to have lost, in all windows; null when it does not tell. */
  readonly lost: number | null;
}

interface Window {
  readonly operationsPerSecond: number;
  readonly nsPerOperation: number;
  readonly toolCpuPercent: number;
}

/**
 * Windows in pairs, one with the tool and one without, the order swapped from pair to pair: off on, on off, off on… A
 * drift of the machine then favours neither, and the tool is started once for two pairs.
 */
export async function comparePairs(
  workload: Workload,
  tool: Tool,
  cpus: Cpus,
  options: PairOptions,
): Promise<Comparison> {
  const pairs: { on: Window; off: Window }[] = [];
  let running: RunningTool | undefined;
  let lost: number | null = null;

  const windowOn = async (): Promise<Window> => {
    if (running === undefined) {
      running = await whilePaused(workload, () => tool.start(cpus));
      await running.settled?.();
    }
    return measure(workload, running, options);
  };
  const stop = async (tool: RunningTool): Promise<void> => {
    lost = addKnown(lost, await tool.losses());
    await tool.stop();
    running = undefined;
  };
  const windowOff = async (): Promise<Window> => {
    const tool = running;
    if (tool !== undefined) await whilePaused(workload, () => stop(tool));
    return measure(workload, undefined, options);
  };

  try {
    await windowOff(); // so that nothing runs for the first time
    const deadline = performance.now() + options.limitMs;
    for (let i = 0; i < options.pairs && (i === 0 || performance.now() < deadline); i++) {
      if (i % 2 === 0) {
        const off = await windowOff();
        pairs.push({ off, on: await windowOn() });
      } else {
        const on = await windowOn();
        pairs.push({ on, off: await windowOff() });
      }
    }
    if (running !== undefined) lost = addKnown(lost, await running.losses());
  } finally {
    await running?.stop();
  }
  return { ...summary(pairs), lost };
}

/** A tool that starts or stops finds no traffic in its way; else it would take seconds on a busy machine. */
async function whilePaused<T>(workload: Workload, work: () => Promise<T>): Promise<T> {
  workload.pause();
  try {
    return await work();
  } finally {
    workload.continue();
  }
}

async function measure(workload: Workload, tool: RunningTool | undefined, options: PairOptions): Promise<Window> {
  await sleep(options.settleMs);
  const toolBefore = tool === undefined ? 0 : cpuNs(tool.pid);
  const before = await workload.mark();
  await sleep(options.windowMs);
  const after = await workload.mark();
  const toolNs = tool === undefined ? 0 : cpuNs(tool.pid) - toolBefore;
  const operations = after.operations - before.operations;
  const ns = after.atNs - before.atNs;
  if (!(operations > 0)) throw new Error('the workload stands still');
  return {
    operationsPerSecond: (operations / ns) * 1e9,
    nsPerOperation: (after.cpuNs - before.cpuNs) / operations,
    toolCpuPercent: (toolNs / ns) * 100,
  };
}

function summary(pairs: readonly { on: Window; off: Window }[]): Omit<Comparison, 'lost'> {
  return {
    pairs: pairs.length,
    throughput: quartiles(pairs.map(({ on, off }) => on.operationsPerSecond / off.operationsPerSecond)),
    cpuPerOperation: quartiles(pairs.map(({ on, off }) => on.nsPerOperation / off.nsPerOperation)),
    addedNsPerOperation: quartiles(pairs.map(({ on, off }) => on.nsPerOperation - off.nsPerOperation)),
    cpuShare: quartiles(pairs.map(({ on, off }) => cpuShareOf(on) / cpuShareOf(off))).median,
    baseNs: quartiles(pairs.map(({ off }) => off.nsPerOperation)).median,
    toolCpuPercent: quartiles(pairs.map(({ on }) => on.toolCpuPercent)).median,
  };
}

function cpuShareOf({ operationsPerSecond, nsPerOperation }: Window): number {
  return (operationsPerSecond * nsPerOperation) / 1e9;
}

function addKnown(sum: number | null, more: number | null): number | null {
  return more === null ? sum : (sum ?? 0) + more;
}
