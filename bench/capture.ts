/**
 * What capture costs those who are captured: throughput and CPU per operation of several kinds of traffic, with the
 * agent over without it, beside other tools that watch the same interface.
 */
import { agentTool } from './lib/agent.js';
import { chooseCpus, pinSelf, type Cpus } from './lib/cpus.js';
import { benchOptions } from './lib/options.js';
import { comparePairs, type Comparison, type PairOptions } from './lib/pairs.js';
import { nothing, softflowd, tcpdump } from './lib/peers.js';
import { addedTime, ratio, reached, table } from './lib/table.js';
import type { Tool } from './lib/tool.js';
import { TRAFFIC, type Traffic } from './lib/traffic.js';
import { buildWorkload } from './lib/workload.js';

const FULL: PairOptions = { pairs: 10, windowMs: 300, settleMs: 150, limitMs: 30_000 };
const QUICK: PairOptions = { pairs: 2, windowMs: 200, settleMs: 100, limitMs: 30_000 };

/** No new comparison begins after so long; what is missing in the table says so. */
const TIME_LIMIT_MS = 8 * 60_000;

const WHOLE = agentTool('procflow', []);
const TOOLS: readonly Tool[] = [
  nothing,
  agentTool('procflow, lifecycle only', ['capture.messages=false']),
  WHOLE,
  softflowd,
  tcpdump,
];

/** A comparison, or why there is none. */
type Cell = Comparison | Error;

interface Row {
  readonly traffic: Traffic;
  readonly cells: readonly (readonly [Tool, Cell])[];
}

export async function run(): Promise<void> {
  const options = benchOptions().quick ? QUICK : FULL;
  const cpus = chooseCpus();
  buildWorkload();
  const unpin = pinSelf(cpus.others);
  try {
    if (cpus.workload === cpus.others) console.log('one CPU only: the tools take it from the traffic');
    console.log(`${options.pairs} pairs of ${options.windowMs} ms; both ends on CPU ${cpus.workload}`);
    console.log('throughput and CPU per operation with the tool over without, median [quartiles]\n');
    const deadline = performance.now() + TIME_LIMIT_MS;
    const rows: Row[] = [];
    for (const traffic of TRAFFIC) rows.push({ traffic, cells: await compareAll(traffic, cpus, options, deadline) });
    console.log(`\n${overview(rows)}`);
  } finally {
    unpin();
  }
}

async function compareAll(traffic: Traffic, cpus: Cpus, options: PairOptions, deadline: number): Promise<Row['cells']> {
  const cells: [Tool, Cell][] = [];
  console.log(traffic.name);
  for (const tool of TOOLS) {
    const cell = await compare(traffic, tool, cpus, options, deadline);
    cells.push([tool, cell]);
    console.log(`  ${details(tool, cell, options.pairs)}`);
  }
  return cells;
}

/** A tool that cannot run here takes nothing from the others. */
async function compare(
  traffic: Traffic,
  tool: Tool,
  cpus: Cpus,
  options: PairOptions,
  deadline: number,
): Promise<Cell> {
  if (performance.now() > deadline) return new Error('not measured: the time is over');
  try {
    const started = await traffic.start(cpus);
    try {
      return await comparePairs(started.workload, tool, cpus, options);
    } finally {
      await started.stop();
    }
  } catch (error) {
    return error as Error;
  }
}

function details(tool: Tool, cell: Cell, planned: number): string {
  const name = tool.name.padEnd(24);
  if (cell instanceof Error) return `${name}  ${cell.message}`;
  const { pairs, throughput, cpuPerOperation, addedNsPerOperation, baseNs, toolCpuPercent, lost } = cell;
  const ratios = [throughput, cpuPerOperation]
    .map(({ low, median, high }) => `${ratio(median)} [${ratio(low)} ${ratio(high)}]`)
    .join('  CPU ');
  const added = `${addedTime(addedNsPerOperation.median)} on ${(baseNs / 1000).toFixed(2)} µs`;
  const losses = lost === null || lost === 0 ? '' : `  lost ${lost}`;
  const fewer = pairs < planned ? `  only ${pairs} pairs in time` : '';
  return `${name}  ${ratios}  ${added}  itself ${toolCpuPercent.toFixed(0)} %${losses}${fewer}`;
}

function overview(rows: readonly Row[]): string {
  const head = ['throughput ratio (time added per operation)', ...TOOLS.map((tool) => tool.name), 'aim', ''];
  const body = rows.map(({ traffic, cells }) => {
    const whole = cells.find(([tool]) => tool === WHOLE)?.[1];
    return [traffic.name, ...cells.map(([, cell]) => short(cell)), `${traffic.aim}`, verdict(traffic, whole)];
  });
  return table([head, ...body]);
}

/** Further from 1 than this, the share of the CPU that the ends got is told. */
const DISTURBED = 0.03;

function verdict(traffic: Traffic, whole: Cell | undefined): string {
  if (whole === undefined || whole instanceof Error) return 'not measured';
  const { cpuShare, throughput } = whole;
  const share = Math.abs(cpuShare - 1) > DISTURBED ? `, but with ${(cpuShare * 100).toFixed(0)} % of the CPU` : '';
  return `${reached(throughput.median >= traffic.aim)}${share}`;
}

function short(cell: Cell): string {
  if (cell instanceof Error) return '-';
  return `${ratio(cell.throughput.median)} (${addedTime(cell.addedNsPerOperation.median)})`;
}
