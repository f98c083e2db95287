/** Tools beside each other, on each kind of traffic: lines while it runs, a table at the end. */
import { chooseCpus, pinSelf, type Cpus } from './cpus.js';
import { benchOptions } from './options.js';
import { comparePairs, type Comparison, type PairOptions } from './pairs.js';
import { addedTime, ratio, reached, table } from './table.js';
import type { Tool } from './tool.js';
import { TRAFFIC, type Traffic, type TrafficName } from './traffic.js';
import { buildWorkload } from './workload.js';

const FULL = { pairs: 10, windowMs: 300, settleMs: 150 };
const QUICK = { pairs: 2, windowMs: 200, settleMs: 100 };

export interface ToolComparison {
  readonly tools: readonly Tool[];
  /** The tool that has to reach them. */
  readonly judged: Tool;
  /** Of the throughput without a tool, what must be left with it. */
  readonly aims: Readonly<Record<TrafficName, number>>;
  /** No new pair of a tool on a traffic begins after so long. */
  readonly pairLimitMs: number;
  /** No new comparison begins after so long; what is missing in the table says so. */
  readonly limitMs: number;
}

/** A comparison, or why there is none. */
type Cell = Comparison | Error;

interface Row {
  readonly traffic: Traffic;
  readonly cells: readonly (readonly [Tool, Cell])[];
}

/** Measures and prints. */
export async function compareTools(comparison: ToolComparison): Promise<void> {
  const options: PairOptions = { ...(benchOptions().quick ? QUICK : FULL), limitMs: comparison.pairLimitMs };
  const cpus = chooseCpus();
  buildWorkload();
  const unpin = pinSelf(cpus.others);
  try {
    if (cpus.workload === cpus.others) console.log('one CPU only: the tools take it from the traffic');
    console.log(`${options.pairs} pairs of ${options.windowMs} ms; both ends on CPU ${cpus.workload}`);
    console.log('throughput and CPU per operation with the tool over without, median [quartiles]\n');
    const deadline = performance.now() + comparison.limitMs;
    const rows: Row[] = [];
    for (const traffic of TRAFFIC) {
      rows.push({ traffic, cells: await compareAll(comparison.tools, traffic, cpus, options, deadline) });
    }
    console.log(`\n${overview(comparison, rows)}`);
  } finally {
    unpin();
  }
}

async function compareAll(
  tools: readonly Tool[],
  traffic: Traffic,
  cpus: Cpus,
  options: PairOptions,
  deadline: number,
): Promise<Row['cells']> {
  const cells: [Tool, Cell][] = [];
  console.log(traffic.name);
  for (const tool of tools) {
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

function overview({ tools, judged, aims }: ToolComparison, rows: readonly Row[]): string {
  const head = ['throughput ratio (time added per operation)', ...tools.map((tool) => tool.name), 'aim', ''];
  const body = rows.map(({ traffic, cells }) => {
    const cell = cells.find(([tool]) => tool === judged)?.[1];
    const aim = aims[traffic.name];
    return [traffic.name, ...cells.map(([, cell]) => short(cell)), `${aim}`, verdict(aim, cell)];
  });
  return table([head, ...body]);
}

/** Further from 1 than this, the share of the CPU that the ends got is told. */
const DISTURBED = 0.03;

function verdict(aim: number, cell: Cell | undefined): string {
  if (cell === undefined || cell instanceof Error) return 'not measured';
  const { cpuShare, throughput } = cell;
  const share = Math.abs(cpuShare - 1) > DISTURBED ? `, but with ${(cpuShare * 100).toFixed(0)} % of the CPU` : '';
  return `${reached(throughput.median >= aim)}${share}`;
}

function short(cell: Cell): string {
  if (cell instanceof Error) return '-';
  return `${ratio(cell.throughput.median)} (${addedTime(cell.addedNsPerOperation.median)})`;
}
