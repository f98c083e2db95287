import type { Container, Flow, Process, User } from '../../correlate/model.js';
import {
  flowDurationMs,
  flowOctets,
  flowPackets,
  flowPayloadBytes,
  flowRetransmittedPackets,
  type Names,
} from './measures.js';
import { GroupSpending, ProcessSpending, SPENDING_MEASURES, type Spending } from './spending.js';

export type Key = number | string | null;
export type OrderDirection = 'ASC' | 'DESC';

/** One way to order a list. */
export interface OrderField<T> {
  readonly name: string;
  /**
   * The key of a row never changes. Pages in such an order need nothing kept between them; in any other the order is
   * pinned when the first page is read.
   */
  readonly isFixed: boolean;
  readonly type: 'number' | 'string';
  key(row: T, names: Names): Key;
}

export function mutable<T>(name: string, key: (row: T) => number | null): OrderField<T> {
  return { name, isFixed: false, type: 'number', key };
}

/** Orders by what is spent and moved. */
function bySpending<T>(spending: (row: T, names: Names) => Spending): OrderField<T>[] {
  return SPENDING_MEASURES.map((measure) => ({
    name: measure.name,
    isFixed: false,
    type: 'number',
    key: (row, names) => measure.of(spending(row, names)),
  }));
}

function fixed<T>(name: string, key: (row: T) => number): OrderField<T> {
  return { name, isFixed: true, type: 'number', key };
}

export const FLOW_ORDERS: readonly OrderField<Flow>[] = [
  fixed('START_TIME', (flow) => flow.startMicros),
  mutable('LAST_TIME', (flow) => flow.lastMicros),
  mutable('END_TIME', (flow) => flow.endMicros),
  mutable('DURATION', flowDurationMs),
  mutable('OCTETS', flowOctets),
  mutable('PACKETS', flowPackets),
  mutable('PAYLOAD_BYTES', flowPayloadBytes),
  mutable('RETRANSMITTED_PACKETS', flowRetransmittedPackets),
  mutable('RTT', (flow) => flow.rttMicros),
];

export const PROCESS_ORDERS: readonly OrderField<Process>[] = [
  fixed('START_TIME', (process) => process.startMicros),
  mutable('END_TIME', (process) => process.endMicros),
  fixed('PID', (process) => process.pid),
  { name: 'NAME', isFixed: false, type: 'string', key: (process) => process.name },
  mutable('FLOWS', (process) => process.flows.size),
  ...bySpending<Process>((process, names) => new ProcessSpending(process, names)),
];

export const USER_ORDERS: readonly OrderField<User>[] = [
  fixed('UID', (user) => user.uid),
  { name: 'NAME', isFixed: false, type: 'string', key: (user) => user.name },
  ...bySpending<User>((user, names) => new GroupSpending(names.group('user', user.uid))),
];

export const CONTAINER_ORDERS: readonly OrderField<Container>[] = [
  { name: 'ID', isFixed: true, type: 'string', key: (container) => container.id },
  ...bySpending<Container>((container, names) => new GroupSpending(names.group('container', container.id))),
];

/** Compares by key, what is unknown last in either direction, ties by id: a total order. */
export type Comparator = (aKey: Key, aId: string, bKey: Key, bId: string) => number;

export function comparator(direction: OrderDirection): Comparator {
  const smaller = direction === 'ASC' ? -1 : 1;
  return (aKey, aId, bKey, bId) => {
    if (aKey === bKey) return aId < bId ? -1 : aId > bId ? 1 : 0;
    if (aKey === null) return 1;
    if (bKey === null) return -1;
    return aKey < bKey ? smaller : -smaller;
  };
}
