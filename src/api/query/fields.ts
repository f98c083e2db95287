/**
 * The one table of what can be filtered on, for flows, processes and users. GraphQL's input types and REST's query
 * parameters carry the same names and kinds; tests hold the three together.
 */
import {
  FLOW_NOTE_CODES,
  type Container,
  type Direction,
  type Endpoint,
  type Flow,
  type FlowEndReason,
  type FlowState,
  type Process,
  type Protocol,
  type User,
} from '../../correlate/model.js';
import {
  commandLineOf,
  eitherEnd,
  flowDurationMs,
  flowOctets,
  flowPackets,
  flowPayloadBytes,
  type Names,
} from './measures.js';
import type { NumberTest, TextTest } from './matchers.js';

export type Predicate<T> = (row: T) => boolean;
export type AddressTest = (address: string) => boolean;

interface FieldBase {
  readonly name: string;
  /** Its value may become known some time after the row began (who owns a socket, which container), so a new row is tested again. */
  readonly late?: boolean;
  /** It shows command lines, which need the scope `cmdline:read`. */
  readonly secret?: boolean;
}

export type FilterField<T> = FieldBase &
  (
    | { readonly kind: 'String'; build(test: TextTest, names: Names): Predicate<T> }
    | { readonly kind: 'Int' | 'Long' | 'Float' | 'Time'; build(test: NumberTest, names: Names): Predicate<T> }
    | { readonly kind: 'Ip'; build(test: AddressTest, names: Names): Predicate<T> }
    /** A number that its values are not below. */
    | { readonly kind: 'Minimum'; build(least: number, names: Names): Predicate<T> }
    | { readonly kind: 'Boolean'; build(wanted: boolean, names: Names): Predicate<T> }
    | {
        readonly kind: 'Enum';
        readonly type: string;
        readonly values: readonly string[];
        build(values: ReadonlySet<string>, names: Names): Predicate<T>;
      }
  );

export type FieldKind = FilterField<never>['kind'];

export const PROTOCOLS = [
  'TCP',
  'UDP',
  'ICMP',
  'ICMPV6',
  'SCTP',
  'RAW',
  'PACKET',
  'OTHER',
] as const satisfies Protocol[];
export const DIRECTIONS = ['INBOUND', 'OUTBOUND', 'LOCAL', 'FORWARDED'] as const satisfies Direction[];
export const FLOW_STATES = ['OPENING', 'OPEN', 'CLOSING', 'ENDED'] as const satisfies FlowState[];
export const FLOW_END_REASONS = [
  'IDLE',
  'ACTIVE',
  'END_OF_FLOW',
  'FORCED',
  'REFUSED',
  'RESET',
  'UNREACHABLE',
  'TIMED_OUT',
  'ABORTED',
] as const satisfies FlowEndReason[];

/** Conditions on a process; on flows either end may satisfy them. */
export const PROCESS_CONDITIONS: readonly FilterField<Process>[] = [
  {
    name: 'process',
    kind: 'String',
    late: true,
    build: (test) => (process) =>
      test.whole(process.name) || (process.executable !== null && test.baseName(process.executable)),
  },
  { name: 'executable', kind: 'String', late: true, build: (test) => textOr((process) => process.executable, test) },
  {
    name: 'commandLine',
    kind: 'String',
    late: true,
    secret: true,
    build: (test) => textOr((process) => commandLineOf(process.arguments), test),
  },
  {
    name: 'user',
    kind: 'String',
    late: true,
    build: (test, names) => (process) => test.whole(names.user(process.uid).name),
  },
  { name: 'uid', kind: 'Int', late: true, build: (test) => (process) => test(process.uid) },
  { name: 'pid', kind: 'Int', late: true, build: (test) => (process) => test(process.pid) },
  {
    name: 'container',
    kind: 'String',
    late: true,
    build: (test) => textOr((process) => process.container?.id ?? null, test),
  },
  { name: 'unit', kind: 'String', late: true, build: (test) => textOr((process) => process.unit, test) },
];

export const FLOW_FIELDS: readonly FilterField<Flow>[] = [
  ...PROCESS_CONDITIONS.map(onEitherEnd),
  address('address', (test) => (flow) => test(flow.client.address) || test(flow.server.address)),
  address('clientAddress', (test) => (flow) => test(flow.client.address)),
  address('serverAddress', (test) => (flow) => test(flow.server.address)),
  {
    name: 'port',
    kind: 'Int',
    build: (test) => (flow) => portIs(flow.client, test) || portIs(flow.server, test),
  },
  { name: 'clientPort', kind: 'Int', build: (test) => (flow) => portIs(flow.client, test) },
  { name: 'serverPort', kind: 'Int', build: (test) => (flow) => portIs(flow.server, test) },
  oneOf('protocol', 'Protocol', PROTOCOLS, (flow) => flow.protocol),
  oneOf('direction', 'Direction', DIRECTIONS, (flow) => flow.direction),
  oneOf('state', 'FlowState', FLOW_STATES, (flow) => flow.state),
  oneOf('endReason', 'FlowEndReason', FLOW_END_REASONS, (flow) => flow.endReason),
  {
    name: 'application',
    kind: 'String',
    late: true,
    build:
      (test) =>
      ({ application }) =>
        application !== null && (test.whole(application.name) || test.whole(application.protocol)),
  },
  {
    name: 'category',
    kind: 'String',
    late: true,
    build: (test) => textOr((flow) => flow.application?.category ?? null, test),
  },
  {
    name: 'serverName',
    kind: 'String',
    late: true,
    build: (test) => textOr((flow) => flow.application?.serverName ?? null, test),
  },
  {
    name: 'dnsQuery',
    kind: 'String',
    late: true,
    build: (test) => textOr((flow) => flow.application?.dnsQuery ?? null, test),
  },
  {
    name: 'note',
    kind: 'Enum',
    type: 'FlowNoteCode',
    values: FLOW_NOTE_CODES,
    build: (wanted, names) => {
      const mask = FLOW_NOTE_CODES.reduce((bits, code, bit) => (wanted.has(code) ? bits | (1 << bit) : bits), 0);
      return (flow) => (names.notesOf(flow) & mask) !== 0;
    },
  },
  { name: 'communityId', kind: 'String', build: (test) => textOr((flow) => flow.communityId, test) },
  { name: 'ipVersion', kind: 'Int', build: (test) => numberOr((flow) => flow.ipVersion, test) },
  { name: 'octets', kind: 'Long', build: (test) => numberOr(flowOctets, test) },
  { name: 'packets', kind: 'Long', build: (test) => numberOr(flowPackets, test) },
  { name: 'payloadBytes', kind: 'Long', build: (test) => numberOr(flowPayloadBytes, test) },
  { name: 'durationMs', kind: 'Float', build: (test) => (flow) => test(flowDurationMs(flow)) },
  { name: 'rttMicros', kind: 'Float', build: (test) => numberOr((flow) => flow.rttMicros, test) },
  { name: 'startTime', kind: 'Time', build: (test) => (flow) => test(flow.startMicros) },
  { name: 'lastTime', kind: 'Time', build: (test) => (flow) => test(flow.lastMicros) },
  { name: 'endTime', kind: 'Time', build: (test) => numberOr((flow) => flow.endMicros, test) },
  { name: 'startedBefore', kind: 'Boolean', build: (wanted) => (flow) => flow.startedBefore === wanted },
];

export const PROCESS_FIELDS: readonly FilterField<Process>[] = [
  ...PROCESS_CONDITIONS,
  { name: 'name', kind: 'String', late: true, build: (test) => (process) => test.whole(process.name) },
  { name: 'gid', kind: 'Int', build: (test) => numberOr((process) => process.gid, test) },
  { name: 'parentPid', kind: 'Int', build: (test) => numberOr((process) => process.parent?.pid ?? null, test) },
  { name: 'startTime', kind: 'Time', build: (test) => (process) => test(process.startMicros) },
  { name: 'endTime', kind: 'Time', build: (test) => numberOr((process) => process.endMicros, test) },
  { name: 'alive', kind: 'Boolean', build: (wanted) => (process) => (process.endMicros === null) === wanted },
  { name: 'startedBefore', kind: 'Boolean', build: (wanted) => (process) => process.startedBefore === wanted },
];

export const CONTAINER_FIELDS: readonly FilterField<Container>[] = [
  { name: 'id', kind: 'String', build: (test) => (container) => test.whole(container.id) },
  { name: 'runtime', kind: 'String', build: (test) => textOr((container) => container.runtime, test) },
  { name: 'podUid', kind: 'String', build: (test) => textOr((container) => container.podUid, test) },
];

export const USER_FIELDS: readonly FilterField<User>[] = [
  { name: 'name', kind: 'String', build: (test) => (user) => test.whole(user.name) },
  { name: 'uid', kind: 'Int', build: (test) => (user) => test(user.uid) },
];

function onEitherEnd(field: FilterField<Process>): FilterField<Flow> {
  return lifted(field, (test: Predicate<Process>): Predicate<Flow> => {
    return (flow) => eitherEnd(flow, test);
  });
}

/** The same condition on rows that have one of another kind. */
export function lifted<A, B>(field: FilterField<A>, lift: (test: Predicate<A>) => Predicate<B>): FilterField<B> {
  switch (field.kind) {
    case 'String':
      return { ...field, build: (test: TextTest, names: Names) => lift(field.build(test, names)) };
    case 'Int':
    case 'Long':
    case 'Float':
    case 'Time':
      return { ...field, build: (test: NumberTest, names: Names) => lift(field.build(test, names)) };
    case 'Ip':
      return { ...field, build: (test: AddressTest, names: Names) => lift(field.build(test, names)) };
    case 'Minimum':
      return { ...field, build: (least: number, names: Names) => lift(field.build(least, names)) };
    case 'Boolean':
      return { ...field, build: (wanted: boolean, names: Names) => lift(field.build(wanted, names)) };
    case 'Enum':
      return { ...field, build: (values: ReadonlySet<string>, names: Names) => lift(field.build(values, names)) };
  }
}

function address(name: string, build: (test: AddressTest) => Predicate<Flow>): FilterField<Flow> {
  return { name, kind: 'Ip', build };
}

export function oneOf<T>(
  name: string,
  type: string,
  values: readonly string[],
  value: (row: T) => string | null,
): FilterField<T> {
  return {
    name,
    kind: 'Enum',
    type,
    values,
    build: (wanted) => (row) => {
      const actual = value(row);
      return actual !== null && wanted.has(actual);
    },
  };
}

export function portIs(endpoint: Endpoint, test: NumberTest): boolean {
  return endpoint.port !== null && test(endpoint.port);
}

/** A condition on something unknown does not hold. */
export function textOr<T>(value: (row: T) => string | null, test: TextTest): Predicate<T> {
  return (row) => {
    const text = value(row);
    return text !== null && test.whole(text);
  };
}

export function numberOr<T>(value: (row: T) => number | null, test: NumberTest): Predicate<T> {
  return (row) => {
    const number = value(row);
    return number !== null && test(number);
  };
}
