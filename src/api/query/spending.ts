/** What spends and moves: processes, and users, containers and hosts for theirs together. */
import type { LiveState } from '../../correlate/live-state.js';
import type { Process } from '../../correlate/model.js';
import { Movement } from '../../correlate/movement.js';
import type { Group, Usage } from '../../correlate/index.js';
import { Usage as UsageSum } from '../../correlate/usage.js';
import { knownSum } from './measures.js';

/** In the shape of GraphQL's fields; what is not asked for is not computed. */
export interface Spending {
  readonly usage: Usage | null;
  readonly currentUsage: Usage | null;
  readonly network: NetworkUsage;
}

export interface NetworkUsage extends Readonly<Omit<Movement, 'add'>> {
  readonly connections: number;
}

export function networkOf(movement: Movement | null, connections: number): NetworkUsage {
  const { sentOctets, receivedOctets, sentPackets, receivedPackets } = movement ?? new Movement();
  return { sentOctets, receivedOctets, sentPackets, receivedPackets, connections };
}

type UsageSource = Pick<LiveState, 'totalUsage' | 'currentUsage'>;

export class ProcessSpending implements Spending {
  constructor(
    private readonly process: Process,
    private readonly state: UsageSource,
  ) {}

  get usage(): Usage | null {
    return this.state.totalUsage(this.process);
  }
  get currentUsage(): Usage | null {
    return this.state.currentUsage(this.process);
  }
  get network(): NetworkUsage {
    return networkOf(this.process.meter?.moved ?? null, this.process.connections);
  }
}

/** Of a group that nothing was recorded of, nothing is known. */
export class GroupSpending implements Spending {
  constructor(private readonly group: Group | null) {}

  get usage(): Usage | null {
    return this.group?.usage ?? null;
  }
  get currentUsage(): Usage | null {
    return this.group?.current ?? null;
  }
  get network(): NetworkUsage {
    return networkOf(this.group?.moved ?? null, this.group?.connections ?? 0);
  }
}

type Spent = Pick<Spending, 'usage' | 'currentUsage'>;

/** A measure that lists can be ordered by. */
interface Measure<T> {
  readonly name: string;
  of(spending: T): number | null;
}

/** What several processes have spent together, too. Their highest memory is not among it: it was not at one time. */
export const SUMMED_MEASURES = [
  'CPU_TIME',
  'CPU_LOAD',
  'MEMORY',
  'MINOR_FAULTS',
  'MAJOR_FAULTS',
  'IO_WAIT',
  'READ_BYTES',
  'WRITTEN_BYTES',
  'VOLUNTARY_SWITCHES',
  'INVOLUNTARY_SWITCHES',
] as const;
export type SummedMeasure = (typeof SUMMED_MEASURES)[number];

const FIELDS: Readonly<Record<Exclude<SummedMeasure, 'CPU_LOAD'>, SummedField>> = {
  CPU_TIME: 'cpuTimeMs',
  MEMORY: 'memoryBytes',
  MINOR_FAULTS: 'minorFaults',
  MAJOR_FAULTS: 'majorFaults',
  IO_WAIT: 'ioWaitMs',
  READ_BYTES: 'readBytes',
  WRITTEN_BYTES: 'writtenBytes',
  VOLUNTARY_SWITCHES: 'voluntarySwitches',
  INVOLUNTARY_SWITCHES: 'involuntarySwitches',
};

export function summedMeasure(measure: SummedMeasure, spending: Spent): number | null {
  if (measure === 'CPU_LOAD') return spending.currentUsage?.averageCpuLoadPercent ?? null;
  return spending.usage?.[FIELDS[measure]] ?? null;
}

export const SPENDING_MEASURES: readonly Measure<Spending>[] = [
  ...SUMMED_MEASURES.map((name) => ({ name, of: (spending: Spending) => summedMeasure(name, spending) })),
  { name: 'PEAK_MEMORY', of: ({ usage }) => usage?.peakMemoryBytes ?? null },
  { name: 'SENT_OCTETS', of: ({ network }) => network.sentOctets },
  { name: 'RECEIVED_OCTETS', of: ({ network }) => network.receivedOctets },
  { name: 'SENT_PACKETS', of: ({ network }) => network.sentPackets },
  { name: 'RECEIVED_PACKETS', of: ({ network }) => network.receivedPackets },
  { name: 'CONNECTIONS', of: ({ network }) => network.connections },
];

const SUMMED = [
  'cpuTimeMs',
  'userMs',
  'systemMs',
  'memoryBytes',
  'minorFaults',
  'majorFaults',
  'ioWaitMs',
  'readBytes',
  'writtenBytes',
  'voluntarySwitches',
  'involuntarySwitches',
] as const;
type SummedField = (typeof SUMMED)[number];

/** The sum of what is known of several usages, over all of their windows; null of none. */
export function sumOfUsage(usages: Iterable<Usage | null>): Usage | null {
  const window = { from: Infinity, to: -Infinity };
  const sum = new UsageSum(window);
  for (const usage of usages) {
    if (usage === null) continue;
    window.from = Math.min(window.from, usage.window.from);
    window.to = Math.max(window.to, usage.window.to);
    for (const name of SUMMED) sum[name] = knownSum(sum[name], usage[name]);
  }
  return window.to < window.from ? null : sum;
}
