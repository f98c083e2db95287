/** What else ran on the host while an exchange lasted. */
import type { Exchange } from '../../correlate/exchange.js';
import type { LiveState, ProcessUsage } from '../../correlate/live-state.js';
import { Best } from './best.js';
import { comparator } from './order.js';
import { summedMeasure, type SummedMeasure } from './spending.js';

export { SUMMED_MEASURES as USAGE_MEASURES, type SummedMeasure as UsageMeasure } from './spending.js';

/** The processes other than the server that spent most while the exchange lasted, or until now. */
export function concurrentProcesses(
  state: Pick<LiveState, 'ranWithin' | 'nowMicros'>,
  exchange: Exchange,
  orderBy: SummedMeasure,
  first: number,
): readonly ProcessUsage[] {
  const best = new Best<ProcessUsage>(first, comparator('DESC'));
  const { server } = exchange;
  for (const ran of state.ranWithin(exchange.startMicros, exchange.endMicros ?? state.nowMicros())) {
    if (ran.process === server) continue;
    const amount = summedMeasure(orderBy, { usage: ran.usage, currentUsage: ran.usage });
    // Whoever did nothing of it did not run meanwhile.
    if (amount !== null && amount > 0) best.offer(amount, ran.process.id, ran);
  }
  return best.sorted().map(({ row }) => row);
}
