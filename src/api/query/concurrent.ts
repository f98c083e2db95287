/** What else ran on the host while an exchange lasted. */
import type { Exchange } from '../../correlate/exchange.js';
import type { LiveState, ProcessUsage } from '../../correlate/live-state.js';
import type { Usage } from '../../correlate/usage.js';
import { Best } from './best.js';
import { comparator } from './order.js';

export const USAGE_MEASURES = [
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
export type UsageMeasure = (typeof USAGE_MEASURES)[number];

const FIELDS = {
  CPU_TIME: 'cpuTimeMs',
  CPU_LOAD: 'averageCpuLoadPercent',
  MEMORY: 'memoryBytes',
  MINOR_FAULTS: 'minorFaults',
  MAJOR_FAULTS: 'majorFaults',
  IO_WAIT: 'ioWaitMs',
  READ_BYTES: 'readBytes',
  WRITTEN_BYTES: 'writtenBytes',
  VOLUNTARY_SWITCHES: 'voluntarySwitches',
  INVOLUNTARY_SWITCHES: 'involuntarySwitches',
} as const satisfies Record<UsageMeasure, keyof Usage>;

/** The processes other than the server that spent most while the exchange lasted, or until now. */
export function concurrentProcesses(
  state: Pick<LiveState, 'ranWithin' | 'nowMicros'>,
  exchange: Exchange,
  orderBy: UsageMeasure,
  first: number,
): readonly ProcessUsage[] {
  const best = new Best<ProcessUsage>(first, comparator('DESC'));
  const { server } = exchange;
  for (const ran of state.ranWithin(exchange.startMicros, exchange.endMicros ?? state.nowMicros())) {
    const amount = ran.usage[FIELDS[orderBy]];
    // Whoever did nothing of it did not run meanwhile.
    if (ran.process !== server && amount !== null && amount > 0) best.offer(amount, ran.process.id, ran);
  }
  return best.sorted().map(({ row }) => row);
}
