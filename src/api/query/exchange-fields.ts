/** What exchanges can be filtered on and ordered by. */
import { EXCHANGE_NOTE_CODES, exchangeNotes, type Exchange, type ExchangeOutcome } from '../../correlate/exchange.js';
import type { Process } from '../../correlate/model.js';
import {
  DIRECTIONS,
  lifted,
  numberOr,
  oneOf,
  portIs,
  PROCESS_CONDITIONS,
  textOr,
  type AddressTest,
  type FilterField,
  type Predicate,
} from './fields.js';
import { mutable, type OrderField } from './order.js';

export const EXCHANGE_OUTCOMES = [
  'ANSWERED',
  'UNANSWERED',
  'INCOMPLETE',
  'UPGRADED',
  'UNKNOWN',
] as const satisfies ExchangeOutcome[];

export const EXCHANGE_FIELDS: readonly FilterField<Exchange>[] = [
  ...PROCESS_CONDITIONS.map((field) => lifted(field, atEitherEnd)),
  address('address', (test) => (exchange) => test(exchange.clientEnd.address) || test(exchange.serverEnd.address)),
  address('clientAddress', (test) => (exchange) => test(exchange.clientEnd.address)),
  address('serverAddress', (test) => (exchange) => test(exchange.serverEnd.address)),
  {
    name: 'port',
    kind: 'Int',
    build: (test) => (exchange) => portIs(exchange.clientEnd, test) || portIs(exchange.serverEnd, test),
  },
  { name: 'clientPort', kind: 'Int', build: (test) => (exchange) => portIs(exchange.clientEnd, test) },
  { name: 'serverPort', kind: 'Int', build: (test) => (exchange) => portIs(exchange.serverEnd, test) },
  oneOf('direction', 'Direction', DIRECTIONS, (exchange) => exchange.flow.direction),
  { name: 'flow', kind: 'String', build: (test) => (exchange) => test.whole(exchange.flow.id) },
  { name: 'protocol', kind: 'String', build: (test) => (exchange) => test.whole(exchange.protocol) },
  { name: 'method', kind: 'String', build: (test) => (exchange) => test.whole(exchange.method) },
  { name: 'target', kind: 'String', build: (test) => (exchange) => test.whole(exchange.target) },
  { name: 'host', kind: 'String', build: (test) => textOr((exchange) => exchange.hostHeader, test) },
  { name: 'userAgent', kind: 'String', build: (test) => textOr((exchange) => exchange.userAgent, test) },
  { name: 'status', kind: 'Int', build: (test) => numberOr((exchange) => exchange.status, test) },
  oneOf('outcome', 'ExchangeOutcome', EXCHANGE_OUTCOMES, (exchange) => exchange.outcome),
  {
    name: 'note',
    kind: 'Enum',
    type: 'ExchangeNoteCode',
    values: EXCHANGE_NOTE_CODES,
    build: (wanted) => (exchange) => exchangeNotes(exchange).some((code) => wanted.has(code)),
  },
  { name: 'live', kind: 'Boolean', build: (wanted) => (exchange) => (exchange.outcome === null) === wanted },
  {
    name: 'minDurationMs',
    kind: 'Minimum',
    build: (least) =>
      numberOr(
        (exchange) => exchange.durationMs,
        (value) => value >= least,
      ),
  },
  { name: 'durationMs', kind: 'Float', build: (test) => numberOr((exchange) => exchange.durationMs, test) },
  { name: 'serverTimeMs', kind: 'Float', build: (test) => numberOr((exchange) => exchange.serverTimeMs, test) },
  { name: 'cpuTimeMs', kind: 'Float', build: (test) => numberOr(cpuTimeMs, test) },
  { name: 'requestBytes', kind: 'Long', build: (test) => numberOr((exchange) => exchange.requestBytes, test) },
  { name: 'responseBytes', kind: 'Long', build: (test) => numberOr((exchange) => exchange.responseBytes, test) },
  { name: 'startTime', kind: 'Time', build: (test) => (exchange) => test(exchange.startMicros) },
  { name: 'endTime', kind: 'Time', build: (test) => numberOr((exchange) => exchange.endMicros, test) },
];

/** The start of one may yet become earlier: the other end may have seen more. */
export const EXCHANGE_ORDERS: readonly OrderField<Exchange>[] = [
  mutable('START_TIME', (exchange) => exchange.startMicros),
  mutable('END_TIME', (exchange) => exchange.endMicros),
  mutable('DURATION', (exchange) => exchange.durationMs),
  mutable('SERVER_TIME', (exchange) => exchange.serverTimeMs),
  mutable('CPU_TIME', cpuTimeMs),
  mutable('REQUEST_BYTES', (exchange) => exchange.requestBytes),
  mutable('RESPONSE_BYTES', (exchange) => exchange.responseBytes),
];

function cpuTimeMs(exchange: Exchange): number | null {
  return exchange.usage?.cpuTimeMs ?? null;
}

function atEitherEnd(test: Predicate<Process>): Predicate<Exchange> {
  return ({ client, server }) => (client !== null && test(client)) || (server !== null && test(server));
}

function address(name: string, build: (test: AddressTest) => Predicate<Exchange>): FilterField<Exchange> {
  return { name, kind: 'Ip', build };
}
