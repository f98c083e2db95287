import { ProcflowError } from '../../errors.js';
import { didYouMean } from '../../text.js';
import type { LiveState, ProcessUsage } from '../../correlate/live-state.js';
import type { Exchange } from '../../correlate/exchange.js';
import { exchangesOf } from '../../correlate/exchange-table.js';
import type { GroupKind } from '../../correlate/index.js';
import type { Container, Flow, Process, User } from '../../correlate/model.js';
import { HOST_KEY } from '../../correlate/index.js';
import type { Caller } from './caller.js';
import { concurrentProcesses, type UsageMeasure } from './concurrent.js';
import { fingerprint } from './cursor.js';
import { EXCHANGE_FIELDS, EXCHANGE_ORDERS } from './exchange-fields.js';
import { CONTAINER_FIELDS, FLOW_FIELDS, PROCESS_FIELDS, USER_FIELDS, type Predicate } from './fields.js';
import { compileFilter, type Filter, type FilterInput } from './filter.js';
import {
  CONTAINER_ORDERS,
  FLOW_ORDERS,
  PROCESS_ORDERS,
  USER_ORDERS,
  type OrderDirection,
  type OrderField,
} from './order.js';
import { checkPageSize, readPage, type Listing, type Page } from './page.js';
import { Pins } from './pins.js';
import {
  containersOf,
  listSeries,
  timeSeries,
  type SeriesDimension,
  type SeriesList,
  type SeriesMeasure,
  type StepArguments,
  type TimeSeries,
} from './series.js';
import { GroupSpending, ProcessSpending, type Spending } from './spending.js';
import { resolveTime, type TimeArgument } from './time.js';
import { FLOW_DIMENSIONS, totalFlows, type FlowDimension, type FlowMeasure, type FlowTotal } from './totals.js';

export interface OrderInput {
  readonly field: string;
  readonly direction?: OrderDirection | null;
}
export interface ListArguments {
  readonly where?: FilterInput | null;
  readonly except?: FilterInput | null;
  readonly orderBy?: OrderInput | null;
  readonly first?: number | null;
  readonly after?: string | null;
}
/** Of rows that last for a time. */
export interface WindowedListArguments extends ListArguments {
  readonly from?: TimeArgument | null;
  readonly to?: TimeArgument | null;
}
export type FlowListArguments = WindowedListArguments;
export interface ProcessListArguments extends ListArguments {
  readonly at?: TimeArgument | null;
}
export interface TotalsArguments {
  readonly groupBy: readonly FlowDimension[];
  readonly where?: FilterInput | null;
  readonly except?: FilterInput | null;
  readonly from?: TimeArgument | null;
  readonly to?: TimeArgument | null;
  readonly orderBy?: FlowMeasure | null;
  readonly first?: number | null;
}

export interface SeriesListArguments extends StepArguments {
  readonly groupBy?: SeriesDimension | null;
  readonly where?: FilterInput | null;
  readonly except?: FilterInput | null;
  readonly orderBy?: SeriesMeasure | null;
  readonly first?: number | null;
}

const DEFAULT_PAGE = 50;
const DEFAULT_SERIES = 10;
const DEFAULT_TOTALS = 20;
const DEFAULT_CONCURRENT = 10;
/** Both doors call the page size by their own name. */
export type PageSizeName = 'first' | 'pageSize';

/** Every question that can be asked of the live state: what GraphQL and REST share. */
export class Queries {
  readonly pins = new Pins();
  readonly #host: { readonly id: string; readonly name: string };

  constructor(
    readonly state: LiveState,
    private readonly maxPageSize: number,
  ) {
    const { id, name } = state.status();
    this.#host = { id, name };
  }

  flows(args: FlowListArguments, caller: Caller, of?: { key: string; rows: () => Iterable<Flow> }): Page<Flow> {
    caller.need('flows:read');
    const listing: Listing<Flow> = {
      rows: of?.rows ?? (() => this.state.flows()),
      byId: (id) => this.state.flow(id),
      idOf: (flow) => flow.id,
      filter: (asOf) => windowed(this.filterFlows(args.where, args.except, caller, asOf).test, args, asOf),
      fingerprint: fingerprint(['flows', of?.key, args.where, args.except, args.from, args.to]),
      names: this.state,
      ...orderOf(FLOW_ORDERS, args.orderBy),
    };
    return this.#read(listing, args, caller);
  }

  exchanges(args: WindowedListArguments, caller: Caller, of?: Flow): Page<Exchange> {
    caller.need('flows:read');
    const listing: Listing<Exchange> = {
      rows: () => (of === undefined ? this.state.exchanges() : exchangesOf(of)),
      byId: (id) => this.state.exchange(id),
      idOf: (exchange) => exchange.id,
      filter: (asOf) => windowed(this.filterExchanges(args.where, args.except, caller, asOf).test, args, asOf),
      fingerprint: fingerprint(['exchanges', of?.id, args.where, args.except, args.from, args.to]),
      names: this.state,
      ...orderOf(EXCHANGE_ORDERS, args.orderBy),
    };
    return this.#read(listing, args, caller);
  }

  processes(
    args: ProcessListArguments,
    caller: Caller,
    of?: { key: string; rows: () => Iterable<Process> },
  ): Page<Process> {
    caller.need('processes:read');
    const listing: Listing<Process> = {
      rows: of?.rows ?? (() => this.state.processes()),
      byId: (id) => this.state.process(id),
      idOf: (process) => process.id,
      filter: (asOf) => aliveAt(this.filterProcesses(args.where, args.except, caller, asOf).test, args.at, asOf),
      fingerprint: fingerprint(['processes', of?.key, args.where, args.except, args.at]),
      names: this.state,
      ...orderOf(PROCESS_ORDERS, args.orderBy),
    };
    return this.#read(listing, args, caller);
  }

  users(args: ListArguments, caller: Caller): Page<User> {
    caller.need('processes:read');
    const listing: Listing<User> = {
      rows: () => this.#seenUsers(),
      byId: (id) => this.userById(id),
      idOf: (user) => this.userId(user),
      filter: (asOf) => compileFilter(USER_FIELDS, args.where, args.except, this.#context(caller, asOf)).test,
      fingerprint: fingerprint(['users', args.where, args.except]),
      names: this.state,
      ...orderOf(USER_ORDERS, args.orderBy, 'ASC'),
    };
    return this.#read(listing, args, caller);
  }

  containers(args: ListArguments, caller: Caller): Page<Container> {
    caller.need('processes:read');
    const containers = containersOf(this.state.processes());
    const listing: Listing<Container> = {
      rows: () => containers.values(),
      byId: (id) => containers.get(id),
      idOf: (container) => container.id,
      filter: (asOf) => compileFilter(CONTAINER_FIELDS, args.where, args.except, this.#context(caller, asOf)).test,
      fingerprint: fingerprint(['containers', args.where, args.except]),
      names: this.state,
      ...orderOf(CONTAINER_ORDERS, args.orderBy, 'ASC'),
    };
    return this.#read(listing, args, caller);
  }

  /** A container by its id; undefined when no process in it is remembered. */
  container(id: string, caller: Caller): Container | undefined {
    caller.need('processes:read');
    return containersOf(this.state.processes()).get(id);
  }

  series(args: SeriesListArguments, caller: Caller): SeriesList {
    caller.need('processes:read');
    const first = checkPageSize('first', args.first ?? DEFAULT_SERIES, this.maxPageSize);
    const groupBy = args.groupBy ?? 'HOST';
    const orderBy = args.orderBy ?? 'CPU_LOAD';
    const context = this.#context(caller, caller.nowMicros);
    return listSeries(this.state, { ...args, groupBy, orderBy, first }, caller, context, this.#host.name);
  }

  processSeries(process: Process, args: StepArguments, caller: Caller): TimeSeries {
    return timeSeries(this.state, process.meter?.track ?? null, args, caller);
  }

  groupSeries(kind: GroupKind, key: string | number, args: StepArguments, caller: Caller): TimeSeries {
    caller.need('processes:read');
    return timeSeries(this.state, this.state.group(kind, key)?.track ?? null, args, caller);
  }

  hostSeries(args: StepArguments, caller: Caller): TimeSeries {
    return this.groupSeries('host', HOST_KEY, args, caller);
  }

  spendingOf(process: Process): Spending {
    return new ProcessSpending(process, this.state);
  }

  groupSpending(kind: GroupKind, key: string | number): Spending {
    return new GroupSpending(this.state.group(kind, key));
  }

  hostSpending(): Spending {
    return this.groupSpending('host', HOST_KEY);
  }

  totals(args: TotalsArguments, caller: Caller): FlowTotal[] {
    caller.need('flows:read');
    if (args.groupBy.length === 0 || new Set(args.groupBy).size !== args.groupBy.length) {
      const message = `groupBy names one or more of ${FLOW_DIMENSIONS.join(', ')}, each once`;
      throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter: 'groupBy', message }] });
    }
    const { test } = this.filterFlows(args.where, args.except, caller, caller.nowMicros);
    return totalFlows(this.state.flows(), windowed(test, args, caller.nowMicros), {
      groupBy: args.groupBy,
      orderBy: args.orderBy ?? 'OCTETS',
      first: checkPageSize('first', args.first ?? DEFAULT_TOTALS, this.maxPageSize),
      names: this.state,
      hostName: this.#host.name,
      deadline: caller.deadline,
    });
  }

  filterFlows(
    where: FilterInput | null | undefined,
    except: FilterInput | null | undefined,
    caller: Caller,
    asOf: number,
  ): Filter<Flow> {
    return compileFilter(FLOW_FIELDS, where, except, this.#context(caller, asOf));
  }

  filterProcesses(
    where: FilterInput | null | undefined,
    except: FilterInput | null | undefined,
    caller: Caller,
    asOf: number,
  ): Filter<Process> {
    return compileFilter(PROCESS_FIELDS, where, except, this.#context(caller, asOf));
  }

  filterExchanges(
    where: FilterInput | null | undefined,
    except: FilterInput | null | undefined,
    caller: Caller,
    asOf: number,
  ): Filter<Exchange> {
    return compileFilter(EXCHANGE_FIELDS, where, except, this.#context(caller, asOf));
  }

  exchange(id: string, caller: Caller): Exchange | undefined {
    caller.need('flows:read');
    return this.state.exchange(id);
  }

  /** What else ran on the host while an exchange lasted, most first. */
  concurrentProcesses(
    exchange: Exchange,
    args: { readonly first?: number | null; readonly orderBy?: UsageMeasure | null },
    caller: Caller,
  ): readonly ProcessUsage[] {
    caller.need('processes:read');
    caller.deadline.check();
    const first = checkPageSize('first', args.first ?? DEFAULT_CONCURRENT, this.maxPageSize);
    return concurrentProcesses(this.state, exchange, args.orderBy ?? 'CPU_TIME', first);
  }

  flow(id: string, caller: Caller): Flow | undefined {
    caller.need('flows:read');
    return this.state.flow(id);
  }

  process(id: string, caller: Caller): Process | undefined {
    caller.need('processes:read');
    return this.state.process(id);
  }

  /** A user by uid or by name; undefined when no process of that user was seen. */
  user(by: { uid?: number | null; name?: string | null }, caller: Caller): User | undefined {
    caller.need('processes:read');
    const { name } = by;
    const uid = by.uid ?? (typeof name === 'string' ? (this.state.uidOf(name) ?? numericName(name)) : undefined);
    if (uid === undefined) return undefined;
    for (const process of this.state.processes()) {
      if (process.uid !== uid) continue;
      const user = this.state.user(uid);
      return typeof name === 'string' && by.uid !== undefined && by.uid !== null && user.name !== name
        ? undefined
        : user;
    }
    return undefined;
  }

  userId(user: User): string {
    return `u_${Buffer.from(`${this.#host.id}:${user.uid}`).toString('base64url')}`;
  }

  userById(id: string): User | undefined {
    if (!id.startsWith('u_')) return undefined;
    const parts = /^(.*):(\d+)$/s.exec(Buffer.from(id.slice(2), 'base64url').toString());
    return parts !== null && parts[1] === this.#host.id ? this.state.user(Number(parts[2])) : undefined;
  }

  *#seenUsers(): Iterable<User> {
    const seen = new Set<number>();
    for (const { uid } of this.state.processes()) {
      if (seen.has(uid)) continue;
      seen.add(uid);
      yield this.state.user(uid);
    }
  }

  #context(caller: Caller, nowMicros: number) {
    return { names: this.state, nowMicros, mayReadCommandLines: caller.mayReadCommandLines };
  }

  #read<T>(listing: Listing<T>, args: ListArguments, caller: Caller): Page<T> {
    caller.deadline.check();
    return readPage(listing, {
      first: checkPageSize('first', args.first ?? DEFAULT_PAGE, this.maxPageSize),
      after: args.after,
      nowMicros: caller.nowMicros,
      pins: this.pins,
      deadline: caller.deadline,
    });
  }
}

/** Rows that were alive at some time of the window; a live one is alive until now and beyond. */
function windowed<T extends { readonly startMicros: number; readonly endMicros: number | null }>(
  test: Predicate<T>,
  { from, to }: Pick<WindowedListArguments, 'from' | 'to'>,
  asOf: number,
): Predicate<T> {
  const isBounded = (from !== undefined && from !== null) || (to !== undefined && to !== null);
  if (!isBounded) return test;
  const fromMicros = from === undefined || from === null ? -Infinity : resolveTime(from, asOf);
  const toMicros = to === undefined || to === null ? Infinity : resolveTime(to, asOf);
  if (fromMicros > toMicros)
    throw new ProcflowError('INVALID_ARGUMENT', 'the window ends (to) before it begins (from)');
  return (row) => row.startMicros <= toMicros && (row.endMicros ?? Infinity) >= fromMicros && test(row);
}

function aliveAt(test: Predicate<Process>, at: TimeArgument | null | undefined, asOf: number): Predicate<Process> {
  if (at === undefined || at === null) return test;
  const atMicros = resolveTime(at, asOf);
  return (process) => process.startMicros <= atMicros && (process.endMicros ?? Infinity) >= atMicros && test(process);
}

/** A name that is a number is the uid of a user without an account. */
function numericName(name: string): number | undefined {
  return /^\d{1,10}$/.test(name) ? Number(name) : undefined;
}

function orderOf<T>(
  orders: readonly OrderField<T>[],
  input: OrderInput | null | undefined,
  usual: OrderDirection = 'DESC',
): { order: OrderField<T>; direction: OrderDirection } {
  const wanted = input?.field ?? orders[0]?.name ?? '';
  const order = orders.find(({ name }) => name === wanted);
  if (order !== undefined) return { order, direction: input?.direction ?? usual };
  const names = orders.map(({ name }) => name);
  const message = `there is no order ${JSON.stringify(wanted)}${didYouMean(wanted, names)}`;
  throw new ProcflowError('INVALID_ARGUMENT', message, { errors: [{ parameter: 'orderBy', message }] });
}

export function unknownId(kind: string, id: string): ProcflowError {
  return new ProcflowError(
    'NOT_FOUND',
    `there is no ${kind} ${JSON.stringify(id.slice(0, 200))}: it has another id, or has been forgotten since`,
  );
}
