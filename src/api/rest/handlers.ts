/** What each operation of openapi.yaml does, by its operationId. */
import type { Request, Response } from 'express';
import { ProcflowError } from '../../errors.js';
import type { Exchange } from '../../correlate/exchange.js';
import type { Container, Flow, Process, User } from '../../correlate/model.js';
import type { HostView } from '../graphql/mapped.js';
import type { OpenStreams } from '../http/http-sink.js';
import {
  EXCHANGE_FIELDS,
  CONTAINER_FIELDS,
  FLOW_FIELDS,
  PROCESS_FIELDS,
  unknownId,
  USER_FIELDS,
  type Caller,
  type FlowDimension,
  type FlowListArguments,
  type FlowMeasure,
  type Page,
  type Queries,
  type SeriesDimension,
  type SeriesMeasure,
  type StepArguments,
  type TimeArgument,
  type TimeSeries,
} from '../query/index.js';
import {
  checkInterval,
  SamplePicker,
  sampleSpec,
  type EventKind,
  type GroupSpec,
  type Hub,
  type Sample,
  type Streamed,
  type StreamName,
} from '../stream/index.js';
import type { Scope } from '../../tokens.js';
import { cutOf, sendList, sendObject, sendSeries, sendTimeSeries } from './answer.js';
import { constantCase, filterOf, number1, orderOf, text1, texts } from './grammar.js';
import { exchangeShape, exchangeWithConcurrent } from './exchange-shape.js';
import type { Parameters } from './parameters.js';
import {
  containerShape,
  flowShape,
  hostShape,
  processShape,
  sampleShape,
  seriesShape,
  stepsShape,
  timeSeriesShape,
  totalShape,
  treeShape,
  userShape,
  type Json,
  type ShapeContext,
} from './shape.js';
import type { AnswerPaths, Spec } from './spec.js';
import { formatOf, framingOf, positionOf, rendering } from './stream.js';

export interface RestOptions {
  readonly spec: Spec;
  readonly queries: Queries;
  readonly hub: Hub;
  readonly streams: OpenStreams;
  host(): HostView;
  readonly hostName: { readonly id: string; readonly name: string };
}

/** One request, read and checked. */
export interface Asked {
  readonly request: Request;
  readonly response: Response;
  readonly parameters: Parameters;
  readonly caller: Caller;
  readonly scopes: readonly Scope[];
}

export type Handler = (asked: Asked) => void;

const DEFAULT_WINDOW_MS = 100;
const DEFAULT_DEPTH = 16;

export function createHandlers(options: RestOptions): Readonly<Record<string, Handler>> {
  return {
    listFlows: (asked) => listFlows(options, asked),
    getFlow: ({ request, response, parameters, caller }) => {
      const id = pathParameter(request, 'id');
      const flow = options.queries.flow(id, caller);
      if (flow === undefined) throw unknownId('flow', id);
      sendObject(response, flowShape(flow, shapeContext(options, caller)), parameters, options.spec.pathsOf('Flow'));
    },
    streamFlows: (asked) => streamFlows(options, asked),
    listFlowExchanges: (asked) => {
      const id = pathParameter(asked.request, 'id');
      const flow = options.queries.flow(id, asked.caller);
      if (flow === undefined) throw unknownId('flow', id);
      listExchanges(options, asked, flow);
    },
    listExchanges: (asked) => listExchanges(options, asked),
    getExchange: (asked) => getExchange(options, asked),
    streamExchanges: (asked) => streamExchanges(options, asked),
    listProcesses: (asked) => listProcesses(options, asked),
    getProcess: ({ request, response, parameters, caller }) => {
      const process = processOf(options, request, caller);
      sendObject(
        response,
        processShape(process, shapeContext(options, caller)),
        parameters,
        options.spec.pathsOf('Process'),
      );
    },
    listProcessFlows: (asked) => {
      const process = processOf(options, asked.request, asked.caller);
      listFlows(options, asked, { key: process.id, rows: () => process.flows });
    },
    getProcessTree: ({ request, response, parameters, caller }) => {
      const process = processOf(options, request, caller);
      const depth = number1(parameters, 'depth') ?? DEFAULT_DEPTH;
      sendObject(response, treeShape(process, depth, shapeContext(options, caller)), parameters, NO_PATHS);
    },
    streamProcesses: (asked) => streamProcesses(options, asked),
    getProcessSeries: (asked) => {
      const process = processOf(options, asked.request, asked.caller);
      sendStepsOf(options, asked, options.queries.processSeries(process, stepsOf(asked.parameters), asked.caller));
    },
    streamSamples: (asked) => streamSamples(options, asked),
    listUsers: (asked) => listUsers(options, asked),
    getUser: ({ request, response, parameters, caller }) => {
      const user = userOf(options, request, caller);
      sendObject(response, userShape(user, shapeContext(options, caller)), parameters, options.spec.pathsOf('User'));
    },
    getUserSeries: (asked) => {
      const { uid } = userOf(options, asked.request, asked.caller);
      sendStepsOf(options, asked, options.queries.groupSeries('user', uid, stepsOf(asked.parameters), asked.caller));
    },
    listContainers: (asked) => listContainers(options, asked),
    getContainer: ({ request, response, parameters, caller }) => {
      const shape = containerShape(containerOf(options, request, caller), shapeContext(options, caller));
      sendObject(response, shape, parameters, options.spec.pathsOf('Container'));
    },
    getContainerSeries: (asked) => {
      const { id } = containerOf(options, asked.request, asked.caller);
      sendStepsOf(
        options,
        asked,
        options.queries.groupSeries('container', id, stepsOf(asked.parameters), asked.caller),
      );
    },
    listSeries: (asked) => listSeries(options, asked),
    getTotals: (asked) => totals(options, asked),
    getStatus: ({ response, parameters }) => {
      const host = hostShape(options.host(), options.queries.hostSpending());
      sendObject(response, host, parameters, options.spec.pathsOf('Host'));
    },
    getOpenApi: ({ response }) => {
      response.setHeader('content-type', 'application/yaml; charset=utf-8');
      response.end(options.spec.text);
    },
  };
}

const NO_PATHS: AnswerPaths = { all: new Set(), leaves: [] };

function listFlows(
  options: RestOptions,
  { request, response, parameters, caller }: Asked,
  of?: { key: string; rows: () => Iterable<Flow> },
): void {
  const { queries, spec } = options;
  const args = { where: filterOf(FLOW_FIELDS, parameters), ...pageOf(parameters), ...windowOf(parameters) };
  const page = queries.flows(args, caller, of);
  const context = shapeContext(options, caller);
  const shape = (flow: Flow): Json => flowShape(flow, context);
  sendList(request, response, parameters, { name: 'flows', shape, paths: spec.pathsOf('Flow'), ...rowsOf(page) });
}

function listExchanges(options: RestOptions, { request, response, parameters, caller }: Asked, of?: Flow): void {
  const args = { where: filterOf(EXCHANGE_FIELDS, parameters), ...pageOf(parameters), ...windowOf(parameters) };
  const page = options.queries.exchanges(args, caller, of);
  const context = shapeContext(options, caller);
  const shape = (exchange: Exchange): Json => exchangeShape(exchange, context);
  const paths = options.spec.pathsOf('Exchange');
  sendList(request, response, parameters, { name: 'exchanges', shape, paths, ...rowsOf(page) });
}

function getExchange(options: RestOptions, { request, response, parameters, caller }: Asked): void {
  const { queries, spec } = options;
  const id = pathParameter(request, 'id');
  const exchange = queries.exchange(id, caller);
  if (exchange === undefined) throw unknownId('exchange', id);
  // Without the scope the rest is still to be had.
  const concurrent = caller.may('processes:read') ? queries.concurrentProcesses(exchange, {}, caller) : null;
  const whole = exchangeWithConcurrent(exchange, concurrent, shapeContext(options, caller));
  sendObject(response, whole, parameters, spec.pathsOf('Exchange'));
}

function listProcesses(options: RestOptions, { request, response, parameters, caller }: Asked): void {
  const at = time1(parameters, 'at');
  const args = { where: filterOf(PROCESS_FIELDS, parameters), ...pageOf(parameters), ...(at !== undefined && { at }) };
  const page = options.queries.processes(args, caller);
  const context = shapeContext(options, caller);
  const shape = (process: Process): Json => processShape(process, context);
  const paths = options.spec.pathsOf('Process');
  sendList(request, response, parameters, { name: 'processes', shape, paths, ...rowsOf(page) });
}

function listUsers(options: RestOptions, { request, response, parameters, caller }: Asked): void {
  const page = options.queries.users({ where: filterOf(USER_FIELDS, parameters), ...pageOf(parameters) }, caller);
  const context = shapeContext(options, caller);
  const paths = options.spec.pathsOf('User');
  sendList(request, response, parameters, {
    name: 'users',
    shape: (user) => userShape(user, context),
    paths,
    ...rowsOf(page),
  });
}

function listContainers(options: RestOptions, { request, response, parameters, caller }: Asked): void {
  const where = filterOf(CONTAINER_FIELDS, parameters);
  const page = options.queries.containers({ where, ...pageOf(parameters) }, caller);
  const context = shapeContext(options, caller);
  const shape = (container: Container): Json => containerShape(container, context);
  const paths = options.spec.pathsOf('Container');
  sendList(request, response, parameters, { name: 'containers', shape, paths, ...rowsOf(page) });
}

function listSeries(options: RestOptions, { request, response, parameters, caller }: Asked): void {
  const order = text1(parameters, 'orderBy');
  const groupBy = text1(parameters, 'groupBy');
  const list = options.queries.series(
    {
      groupBy: groupBy === undefined ? null : (constantCase(groupBy) as SeriesDimension),
      where: filterOf(PROCESS_FIELDS, parameters),
      orderBy: order === undefined ? null : (constantCase(order) as SeriesMeasure),
      first: number1(parameters, 'pageSize') ?? null,
      ...stepsOf(parameters),
    },
    caller,
  );
  const context = shapeContext(options, caller);
  sendSeries(request, response, parameters, {
    steps: stepsShape(list),
    series: list.series.map((series) => seriesShape(series, context)),
    paths: options.spec.pathsOf('Series'),
  });
}

function sendStepsOf(options: RestOptions, { request, response, parameters }: Asked, series: TimeSeries): void {
  sendTimeSeries(request, response, parameters, timeSeriesShape(series), options.spec.pathsOf('TimeSeries'));
}

function totals(options: RestOptions, { request, response, parameters, caller }: Asked): void {
  const order = text1(parameters, 'orderBy');
  const rows = options.queries.totals(
    {
      groupBy: texts(parameters, 'groupBy').map((name) => constantCase(name) as FlowDimension),
      where: filterOf(FLOW_FIELDS, parameters),
      orderBy: order === undefined ? null : (constantCase(order) as FlowMeasure),
      first: number1(parameters, 'pageSize') ?? null,
      ...windowOf(parameters),
    },
    caller,
  );
  const context = shapeContext(options, caller);
  sendList(request, response, parameters, {
    name: 'totals',
    rows,
    shape: (total) => totalShape(total, context),
    nextPageToken: null,
    totalCount: null,
    paths: options.spec.pathsOf('FlowTotal'),
  });
}

function streamFlows(options: RestOptions, asked: Asked): void {
  const { queries } = options;
  const { parameters, caller } = asked;
  caller.need('flows:read');
  const filter = queries.filterFlows(filterOf(FLOW_FIELDS, parameters), null, caller, caller.nowMicros);
  openStream(options, asked, 'flow', (shared) => ({
    kinds: kindsOf(parameters, ['STARTED', 'ENDED']),
    filter,
    windowMs: number1(parameters, 'windowMs') ?? DEFAULT_WINDOW_MS,
    ...rendering<Flow>(shared.format, 'flow', options.hub.run, (flow) => shared.cut(flowShape(flow, shared.context))),
  }));
}

function streamProcesses(options: RestOptions, asked: Asked): void {
  const { queries } = options;
  const { parameters, caller } = asked;
  caller.need('processes:read');
  const filter = queries.filterProcesses(filterOf(PROCESS_FIELDS, parameters), null, caller, caller.nowMicros);
  openStream(options, asked, 'process', (shared) => ({
    kinds: kindsOf(parameters, ['STARTED', 'EXITED']),
    filter,
    windowMs: number1(parameters, 'windowMs') ?? DEFAULT_WINDOW_MS,
    ...rendering<Process>(shared.format, 'process', options.hub.run, (row) =>
      shared.cut(processShape(row, shared.context)),
    ),
  }));
}

function streamExchanges(options: RestOptions, asked: Asked): void {
  const { queries } = options;
  const { parameters, caller } = asked;
  caller.need('flows:read');
  const filter = queries.filterExchanges(filterOf(EXCHANGE_FIELDS, parameters), null, caller, caller.nowMicros);
  openStream(options, asked, 'exchange', (shared) => ({
    kinds: kindsOf(parameters, ['STARTED', 'ENDED']),
    filter,
    windowMs: number1(parameters, 'windowMs') ?? DEFAULT_WINDOW_MS,
    ...rendering<Exchange>(shared.format, 'exchange', options.hub.run, (row) =>
      shared.cut(exchangeShape(row, shared.context)),
    ),
  }));
}

function streamSamples(options: RestOptions, asked: Asked): void {
  const { parameters, caller } = asked;
  caller.need('processes:read');
  const filter = options.queries.filterProcesses(filterOf(PROCESS_FIELDS, parameters), null, caller, caller.nowMicros);
  const picker = new SamplePicker(filter, checkInterval(number1(parameters, 'intervalMs') ?? null));
  openStream(options, asked, 'sample', (shared) => ({
    ...sampleSpec(picker),
    ...rendering<Sample>(shared.format, 'sample', options.hub.run, (row) =>
      shared.cut(sampleShape(row, shared.context)),
    ),
  }));
}

interface StreamShared {
  readonly format: ReturnType<typeof formatOf>;
  readonly cut: (value: Json) => Json;
  readonly context: ShapeContext;
}

const STREAM_SCHEMAS: Readonly<Record<StreamName, string>> = {
  flow: 'Flow',
  process: 'Process',
  exchange: 'Exchange',
  sample: 'Sample',
};

function openStream<K extends StreamName>(
  options: RestOptions,
  { request, response, parameters, caller, scopes }: Asked,
  name: K,
  spec: (shared: StreamShared) => GroupSpec<Streamed[K]>,
): void {
  const { hub, streams } = options;
  const format = formatOf(request.headers.accept);
  const shared: StreamShared = {
    format,
    cut: cutOf(parameters, options.spec.pathsOf(STREAM_SCHEMAS[name])),
    context: shapeContext(options, caller),
  };
  const after = positionOf(request.get('last-event-id'));
  const framing = framingOf(format);
  if (request.method === 'HEAD') {
    response.setHeader('content-type', framing.contentType);
    response.end();
    return;
  }
  const key = JSON.stringify(['rest', name, format, [...parameters].sort(), [...scopes].sort()]);
  streams.open(response, framing, (sink) => hub.join(name, { sink, key, spec: () => spec(shared), after }));
}

function kindsOf(parameters: Parameters, usual: readonly EventKind[]): ReadonlySet<EventKind> {
  const events = texts(parameters, 'events');
  return new Set(events.length === 0 ? usual : events.map((event) => event.toUpperCase() as EventKind));
}

function processOf({ queries }: RestOptions, request: Request, caller: Caller): Process {
  const id = pathParameter(request, 'id');
  const process = queries.process(id, caller);
  if (process === undefined) throw unknownId('process', id);
  return process;
}

function userOf({ queries }: RestOptions, request: Request, caller: Caller): User {
  const name = pathParameter(request, 'name');
  const user = queries.user({ name }, caller);
  if (user !== undefined) return user;
  throw new ProcflowError('NOT_FOUND', `no process of a user ${JSON.stringify(name.slice(0, 100))} is remembered`);
}

function containerOf({ queries }: RestOptions, request: Request, caller: Caller): Container {
  const id = pathParameter(request, 'id');
  const container = queries.container(id, caller);
  if (container !== undefined) return container;
  throw new ProcflowError('NOT_FOUND', `no process in a container ${JSON.stringify(id.slice(0, 100))} is remembered`);
}

function pathParameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

function rowsOf<T>(page: Page<T>): { rows: readonly T[]; nextPageToken: string | null; totalCount: number } {
  return { rows: page.nodes, nextPageToken: page.hasNextPage ? page.endCursor : null, totalCount: page.totalCount };
}

function pageOf(parameters: Parameters): Pick<FlowListArguments, 'orderBy' | 'first' | 'after'> {
  return {
    orderBy: orderOf(parameters) ?? null,
    first: number1(parameters, 'pageSize') ?? null,
    after: text1(parameters, 'pageToken') ?? null,
  };
}

function windowOf(parameters: Parameters): { from: TimeArgument | null; to: TimeArgument | null } {
  return { from: time1(parameters, 'from') ?? null, to: time1(parameters, 'to') ?? null };
}

function stepsOf(parameters: Parameters): StepArguments {
  return { ...windowOf(parameters), stepMs: number1(parameters, 'stepMs') ?? null };
}

function time1(parameters: Parameters, name: string): TimeArgument | undefined {
  return parameters.get(name)?.[0] as TimeArgument | undefined;
}

function shapeContext({ queries, hostName }: RestOptions, caller: Caller): ShapeContext {
  return { queries, host: hostName, mayReadCommandLines: caller.mayReadCommandLines };
}
