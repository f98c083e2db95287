/** Series by process, executable, user, container or host: one question for both doors. */
import type { LiveState } from '../../correlate/live-state.js';
import type { Container, Group, GroupKind, Process, User } from '../../correlate/index.js';
import { SeriesValues, stepsOf, type Steps } from '../../correlate/series/values.js';
import type { Track } from '../../correlate/series/track.js';
import { ProcflowError } from '../../errors.js';
import { Best } from './best.js';
import type { Caller } from './caller.js';
import { lifted, PROCESS_FIELDS, type FilterField, type Predicate } from './fields.js';
import { compileFilter, type FilterContext, type FilterInput } from './filter.js';
import { comparator } from './order.js';
import { resolveTime, type TimeArgument } from './time.js';

export const SERIES_DIMENSIONS = ['PROCESS', 'EXECUTABLE', 'USER', 'CONTAINER', 'HOST'] as const;
export type SeriesDimension = (typeof SERIES_DIMENSIONS)[number];

type ValueName = Exclude<keyof SeriesValues, symbol>;

/** How series are ranked: by the average of known values, or by their sum. */
const MEASURES = {
  CPU_LOAD: { field: 'cpuLoadPercent', isAverage: true },
  USER_LOAD: { field: 'userLoadPercent', isAverage: true },
  SYSTEM_LOAD: { field: 'systemLoadPercent', isAverage: true },
  MEMORY: { field: 'memoryBytes', isAverage: true },
  MINOR_FAULTS: { field: 'minorFaults', isAverage: false },
  MAJOR_FAULTS: { field: 'majorFaults', isAverage: false },
  IO_WAIT: { field: 'ioWaitPercent', isAverage: true },
  READ_BYTES: { field: 'readBytes', isAverage: false },
  WRITTEN_BYTES: { field: 'writtenBytes', isAverage: false },
  VOLUNTARY_SWITCHES: { field: 'voluntarySwitches', isAverage: false },
  INVOLUNTARY_SWITCHES: { field: 'involuntarySwitches', isAverage: false },
  SENT_OCTETS: { field: 'sentOctets', isAverage: false },
  RECEIVED_OCTETS: { field: 'receivedOctets', isAverage: false },
  SENT_PACKETS: { field: 'sentPackets', isAverage: false },
  RECEIVED_PACKETS: { field: 'receivedPackets', isAverage: false },
  CONNECTIONS: { field: 'connections', isAverage: true },
} as const satisfies Readonly<Record<string, { readonly field: ValueName; readonly isAverage: boolean }>>;

export type SeriesMeasure = keyof typeof MEASURES;
export const SERIES_MEASURES = Object.keys(MEASURES) as SeriesMeasure[];
/** The fields of values, in the order in which they are shown. */
export const SERIES_VALUES = Object.values(MEASURES).map(({ field }) => field);

export interface StepArguments {
  readonly from?: TimeArgument | null;
  readonly to?: TimeArgument | null;
  readonly stepMs?: number | null;
}
export interface SeriesArguments extends StepArguments {
  readonly groupBy: SeriesDimension;
  readonly where?: FilterInput | null;
  readonly except?: FilterInput | null;
  readonly orderBy: SeriesMeasure;
  readonly first: number;
}

/** More values of one measure in an answer are refused. */
const MAX_VALUES = 500_000;
/** And more steps of one series. */
const MAX_STEPS = 11_000;

/** The steps of an answer, in the shape of GraphQL. */
class StepsView {
  constructor(readonly steps: Steps) {}

  get from(): number {
    return this.steps.fromMicros;
  }
  get to(): number {
    return this.steps.toMicros;
  }
  get stepMs(): number {
    return this.steps.stepMicros / 1000;
  }
  get timestamps(): number[] {
    const { fromMicros, stepMicros, count } = this.steps;
    return Array.from({ length: count }, (_, i) => fromMicros + i * stepMicros);
  }
}

/** The series of one thing. */
export class TimeSeries extends StepsView {
  constructor(
    steps: Steps,
    readonly values: SeriesValues,
  ) {
    super(steps);
  }
}

/** What a series of a list is of; only what it is grouped by is set. */
interface Subject {
  readonly process: Process | null;
  readonly executable: string | null;
  readonly user: User | null;
  readonly container: Container | null;
  readonly host: string | null;
}

export interface SeriesRow extends Subject {
  readonly values: SeriesValues;
}

export class SeriesList extends StepsView {
  constructor(
    steps: Steps,
    readonly series: readonly SeriesRow[],
  ) {
    super(steps);
  }
}

/** The series of one track; null has no values. @throws ProcflowError for steps that cannot be */
export function timeSeries(state: LiveState, track: Track | null, args: StepArguments, caller: Caller): TimeSeries {
  const steps = readSteps(state, args, caller);
  return new TimeSeries(steps, new SeriesValues(state.series, track, steps));
}

/** The largest series that pass the filter. @throws ProcflowError for what cannot be asked for */
export function listSeries(
  state: LiveState,
  args: SeriesArguments,
  caller: Caller,
  context: FilterContext,
  hostName: string,
): SeriesList {
  const steps = readSteps(state, args, caller);
  if (steps.count * args.first > MAX_VALUES) {
    throw new ProcflowError(
      'QUERY_TOO_COMPLEX',
      `${args.first} series of ${steps.count} steps are more than ${MAX_VALUES} values: ask for fewer, or a longer step`,
    );
  }
  const { test } = compileFilter(fieldsOf(args.groupBy), args.where, args.except, context);
  const { field, isAverage } = MEASURES[args.orderBy];
  const best = new Best<Candidate>(args.first, comparator('DESC'));
  for (const candidate of candidatesOf(state, args.groupBy, hostName)) {
    caller.deadline.check();
    if (!test(candidate)) continue;
    const values = new SeriesValues(state.series, candidate.track, steps);
    best.offer(rank(values[field], isAverage), candidate.key, candidate);
  }
  return new SeriesList(
    steps,
    best.sorted().map(({ row }) => ({ ...row.of, values: new SeriesValues(state.series, row.track, steps) })),
  );
}

const NOTHING: Subject = { process: null, executable: null, user: null, container: null, host: null };

interface Candidate {
  readonly key: string;
  readonly track: Track | null;
  readonly of: Subject;
}

function* candidatesOf(state: LiveState, groupBy: SeriesDimension, hostName: string): Generator<Candidate> {
  switch (groupBy) {
    case 'PROCESS':
      for (const process of state.processes()) {
        const track = process.meter?.track ?? null;
        if (track !== null) yield { key: process.id, track, of: { ...NOTHING, process } };
      }
      return;
    case 'EXECUTABLE':
      yield* groupsOf(state, 'executable', ({ key }) => ({ executable: String(key) }));
      return;
    case 'USER':
      yield* groupsOf(state, 'user', ({ key }) => ({ user: state.user(Number(key)) }));
      return;
    case 'CONTAINER': {
      const known = containersOf(state.processes());
      const bare = (id: string): Container => ({ id, runtime: null, podUid: null });
      yield* groupsOf(state, 'container', ({ key }) => ({ container: known.get(String(key)) ?? bare(String(key)) }));
      return;
    }
    case 'HOST':
      yield* groupsOf(state, 'host', () => ({ host: hostName }));
      return;
  }
}

function* groupsOf(state: LiveState, kind: GroupKind, of: (group: Group) => Partial<Subject>): Generator<Candidate> {
  for (const group of state.groups(kind)) {
    yield { key: String(group.key), track: group.track, of: { ...NOTHING, ...of(group) } };
  }
}

/** The containers that some processes are in. */
export function containersOf(processes: Iterable<Process>): Map<string, Container> {
  const containers = new Map<string, Container>();
  for (const { container } of processes) if (container !== null) containers.set(container.id, container);
  return containers;
}

function rank(values: readonly (number | null)[], isAverage: boolean): number | null {
  let sum = 0;
  let known = 0;
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    known++;
  }
  if (known === 0) return null;
  return isAverage ? sum / known : sum;
}

function readSteps(state: LiveState, { from, to, stepMs }: StepArguments, caller: Caller): Steps {
  const fromMicros = from === undefined || from === null ? null : resolveTime(from, caller.nowMicros);
  const toMicros = to === undefined || to === null ? null : resolveTime(to, caller.nowMicros);
  if (fromMicros !== null && toMicros !== null && fromMicros > toMicros) {
    throw new ProcflowError('INVALID_ARGUMENT', 'the window ends (to) before it begins (from)');
  }
  if (stepMs !== undefined && stepMs !== null && stepMs < 1) {
    const message = `stepMs is at least 1, not ${stepMs}`;
    throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter: 'stepMs', message }] });
  }
  const stepMicros = stepMs === undefined || stepMs === null ? null : stepMs * 1000;
  const steps = stepsOf(state.series, { fromMicros, toMicros, stepMicros }, caller.nowMicros);
  if (steps.count > MAX_STEPS) {
    const fits = Math.ceil((steps.toMicros - steps.fromMicros) / 1000 / MAX_STEPS);
    throw new ProcflowError(
      'QUERY_TOO_COMPLEX',
      `${steps.count} steps are more than ${MAX_STEPS}: a stepMs of ${fits} would fit`,
    );
  }
  return steps;
}

/** Fields that hold for what series are made of: a process has all, of a group only its key can be asked for. */
const KEYS: Readonly<Record<Exclude<SeriesDimension, 'PROCESS'>, readonly string[]>> = {
  EXECUTABLE: ['executable', 'process'],
  USER: ['user', 'uid'],
  CONTAINER: ['container'],
  HOST: [],
};

function fieldsOf(groupBy: SeriesDimension): readonly FilterField<Candidate>[] {
  return PROCESS_FIELDS.map((field): FilterField<Candidate> => {
    if (groupBy === 'PROCESS') return onProcess(field);
    const refused = { ...field, secret: false, build: () => refuse(groupBy) };
    return KEYS[groupBy].includes(field.name) ? (GROUP_FIELDS[field.name] ?? refused) : refused;
  });
}

function refuse(groupBy: keyof typeof KEYS): never {
  const keys = KEYS[groupBy].length === 0 ? 'nothing' : KEYS[groupBy].join(' and ');
  throw new ProcflowError(
    'INVALID_ARGUMENT',
    `series by ${groupBy} are told apart by ${keys}; by PROCESS, by all fields`,
  );
}

const GROUP_FIELDS: Readonly<Record<string, FilterField<Candidate>>> = {
  executable: {
    name: 'executable',
    kind: 'String',
    build:
      (test) =>
      ({ of }) =>
        of.executable !== null && test.whole(of.executable),
  },
  process: {
    name: 'process',
    kind: 'String',
    build:
      (test) =>
      ({ of }) =>
        of.executable !== null && test.baseName(of.executable),
  },
  user: {
    name: 'user',
    kind: 'String',
    build:
      (test) =>
      ({ of }) =>
        of.user !== null && test.whole(of.user.name),
  },
  uid: {
    name: 'uid',
    kind: 'Int',
    build:
      (test) =>
      ({ of }) =>
        of.user !== null && test(of.user.uid),
  },
  container: {
    name: 'container',
    kind: 'String',
    build:
      (test) =>
      ({ of }) =>
        of.container !== null && test.whole(of.container.id),
  },
};

function onProcess(field: FilterField<Process>): FilterField<Candidate> {
  return lifted(field, (test: Predicate<Process>): Predicate<Candidate> => {
    return ({ of }) => of.process !== null && test(of.process);
  });
}
