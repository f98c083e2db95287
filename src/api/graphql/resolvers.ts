/**
 * How the live state's objects fill the schema. Resolvers are synchronous; where an object already has the schema's shape
 * there is none, since reading a property is the fastest of all.
 */
import { ProcflowError } from '../../errors.js';
import { Exchange, exchangeNotes } from '../../correlate/exchange.js';
import { Flow, noteCodes, Process, type Endpoint, type ProcessShare, type User } from '../../correlate/model.js';
import {
  commandLineOf,
  flowDurationMs,
  ownerOf,
  type FlowListArguments,
  type Queries,
  type ProcessListArguments,
} from '../query/index.js';
import { EXCHANGE_NOTE_TEXTS, NOTE_TEXTS } from './note-texts.js';
import type { Usage } from '../../correlate/usage.js';
import { dateTime, long } from './scalars.js';
import type { RequestContext } from './mapped.js';
import type { Resolvers } from './schema.generated.js';

const MAX_NODES = 1000;

const query: NonNullable<Resolvers['Query']> = {
  host: (_root, _args, context) => context.host(),
  hosts: (_root, _args, context) => [context.host()],
  flows: (_root, args, { queries, caller }) => queries.flows(args, caller),
  flow: (_root, { id }, { queries, caller }) => queries.flow(id, caller) ?? null,
  flowTotals: (_root, args, { queries, caller }) => queries.totals(args, caller),
  exchanges: (_root, args, { queries, caller }) => queries.exchanges(args, caller),
  exchange: (_root, { id }, { queries, caller }) => queries.exchange(id, caller) ?? null,
  processes: (_root, args, { queries, caller }) => queries.processes(args, caller),
  process: (_root, { id }, { queries, caller }) => queries.process(id, caller) ?? null,
  users: (_root, args, { queries, caller }) => queries.users(args, caller),
  user: (_root, { uid, name }, { queries, caller }) => {
    if (typeof uid !== 'number' && typeof name !== 'string') {
      throw new ProcflowError('INVALID_ARGUMENT', 'user needs a uid or a name');
    }
    return queries.user({ uid: uid ?? null, name: name ?? null }, caller) ?? null;
  },
  containers: (_root, args, { queries, caller }) => queries.containers(args, caller),
  container: (_root, { id }, { queries, caller }) => queries.container(id, caller) ?? null,
  series: (_root, args, { queries, caller }) => queries.series(args, caller),
  exporters: (_root, _args, context) => [...context.host().exporters],
  node: (_root, { id }, context) => nodeOf(id, context),
  nodes: (_root, { ids }, context) => {
    if (ids.length > MAX_NODES) {
      throw new ProcflowError('INVALID_ARGUMENT', `nodes takes at most ${MAX_NODES} ids, not ${ids.length}`);
    }
    return ids.map((id) => nodeOf(id, context));
  },
};

const flow: NonNullable<Resolvers['Flow']> = {
  host: (_flow, _args, context) => context.host(),
  startTime: (flow) => flow.startMicros,
  lastTime: (flow) => flow.lastMicros,
  endTime: (flow) => flow.endMicros,
  durationMs: flowDurationMs,
  exchanges: (flow, args, { queries, caller }) => queries.exchanges(args, caller, flow),
  notes: (flow, _args, { queries }) => noteCodes(queries.state.notesOf(flow)),
};

const exchange: NonNullable<Resolvers['Exchange']> = {
  host: (_exchange, _args, context) => context.host(),
  startTime: (exchange) => exchange.startMicros,
  requestEndTime: (exchange) => exchange.requestEndMicros,
  firstResponseByteTime: (exchange) => exchange.firstResponseByteMicros,
  endTime: (exchange) => exchange.endMicros,
  concurrentProcesses: (exchange, args, { queries, caller }) => queries.concurrentProcesses(exchange, args, caller),
  notes: exchangeNotes,
};

const endpoint: NonNullable<Resolvers['Endpoint']> = {
  processes: sharesOf,
  user: (endpoint, _args, { queries }) => {
    const owner = ownerOf(endpoint);
    return owner === null ? null : queries.state.user(owner.uid);
  },
  container: (endpoint) => ownerOf(endpoint)?.container ?? null,
  usage: (endpoint, _args, { queries }) => usageOfEnd(endpoint, queries),
};

const process: NonNullable<Resolvers['Process']> = {
  host: (_process, _args, context) => context.host(),
  commandLine: (process, _args, { caller }) => (caller.mayReadCommandLines ? commandLineOf(process.arguments) : null),
  arguments: (process, _args, { caller }) => (caller.mayReadCommandLines ? process.arguments : null),
  user: (process, _args, { queries }) => queries.state.user(process.uid),
  children: (process, args, { queries, caller }) => {
    return queries.processes(args, caller, { key: process.id, rows: () => process.children });
  },
  startTime: (process) => process.startMicros,
  endTime: (process) => process.endMicros,
  usage: (process, _args, { queries }) => queries.state.totalUsage(process),
  currentUsage: (process, _args, { queries }) => queries.state.currentUsage(process),
  network: (process, _args, { queries }) => queries.spendingOf(process).network,
  series: (process, args, { queries, caller }) => queries.processSeries(process, args, caller),
  flows: (process, args, { queries, caller }) => {
    return queries.flows(args, caller, { key: process.id, rows: () => process.flows });
  },
};

const user: NonNullable<Resolvers['User']> = {
  id: (user, _args, { queries }) => queries.userId(user),
  usage: (user, _args, { queries }) => queries.groupSpending('user', user.uid).usage,
  currentUsage: (user, _args, { queries }) => queries.groupSpending('user', user.uid).currentUsage,
  network: (user, _args, { queries }) => queries.groupSpending('user', user.uid).network,
  series: (user, args, { queries, caller }) => queries.groupSeries('user', user.uid, args, caller),
  processes: (user, args, { queries, caller }) => {
    const mine = { uid: { eq: user.uid } };
    const list = args as ProcessListArguments;
    return queries.processes({ ...list, where: list.where ? { and: [mine, list.where] } : mine }, caller);
  },
  flows: (user, args, { queries, caller }) => {
    const mine = { uid: { eq: user.uid } };
    const list = args as FlowListArguments;
    return queries.flows({ ...list, where: list.where ? { and: [mine, list.where] } : mine }, caller);
  },
};

const container: NonNullable<Resolvers['Container']> = {
  usage: ({ id }, _args, { queries }) => queries.groupSpending('container', id).usage,
  currentUsage: ({ id }, _args, { queries }) => queries.groupSpending('container', id).currentUsage,
  network: ({ id }, _args, { queries }) => queries.groupSpending('container', id).network,
  series: ({ id }, args, { queries, caller }) => queries.groupSeries('container', id, args, caller),
};

export const resolvers: Resolvers = {
  DateTime: dateTime,
  Long: long,
  Query: query,
  Flow: flow,
  Endpoint: endpoint,
  Exchange: exchange,
  Process: process,
  User: user,
  Container: container,
  ProcessShare: { usage: (share, _args, { queries }) => queries.state.usageOf(share) },
  FlowNote: { code: (code) => code, description: (code) => NOTE_TEXTS[code] },
  ExchangeNote: { code: (code) => code, description: (code) => EXCHANGE_NOTE_TEXTS[code] },
  Image: {
    arguments: (image, _args, { caller }) => (caller.mayReadCommandLines ? image.arguments : null),
    startTime: (image) => image.startMicros,
  },
  Exporter: {
    since: (exporter) => exporter.sinceMicros,
    lastErrorTime: (exporter) => exporter.lastErrorMicros,
  },
  Tier: { since: (tier) => tier.sinceMicros },
  Governor: { shedSince: (governor) => governor.shedSinceMicros },
  ShedSpan: { from: (span) => span.fromMicros, to: (span) => span.toMicros },
  Host: {
    startTime: (host) => host.startMicros,
    usage: (_host, _args, { queries }) => queries.hostSpending().usage,
    currentUsage: (_host, _args, { queries }) => queries.hostSpending().currentUsage,
    network: (_host, _args, { queries }) => queries.hostSpending().network,
    series: (_host, args, { queries, caller }) => queries.hostSeries(args, caller),
    programRuns: (host) => Object.entries(host.programRuns).map(([program, runs]) => ({ program, runs })),
  },
  Node: {
    __resolveType: (node) => typeNameOf(node),
  },
  Subscription: {
    // One execution serves every subscriber of a group: the list is made outside and handed in as the root.
    flowEvents: { subscribe: refuseToSubscribe, resolve: (root: unknown) => root as never },
    exchangeEvents: { subscribe: refuseToSubscribe, resolve: (root: unknown) => root as never },
    processEvents: { subscribe: refuseToSubscribe, resolve: (root: unknown) => root as never },
    samples: { subscribe: refuseToSubscribe, resolve: (root: unknown) => root as never },
  },
};

function refuseToSubscribe(): never {
  throw new ProcflowError('BAD_USER_INPUT', 'subscriptions go over WebSocket (/graphql) or SSE (/graphql/stream)');
}

type AnyNode = Flow | Process | User | Exchange;

function typeNameOf(node: AnyNode): 'Flow' | 'Process' | 'User' | 'Exchange' {
  if (node instanceof Flow) return 'Flow';
  if (node instanceof Exchange) return 'Exchange';
  return node instanceof Process ? 'Process' : 'User';
}

function nodeOf(id: string, { queries, caller }: RequestContext): AnyNode | null {
  const { state } = queries;
  const seen = state.flow(id) ?? state.exchange(id);
  if (seen !== undefined) {
    caller.need('flows:read');
    return seen;
  }
  const found = state.process(id) ?? queries.userById(id);
  if (found !== undefined) caller.need('processes:read');
  return found ?? null;
}

/** Who moved bytes, most bytes first. */
export function sharesOf({ shares }: Endpoint): readonly ProcessShare[] {
  const movers = shares.filter((share) => share.hasMoved);
  return movers.length < 2 ? movers : movers.sort((a, b) => bytesOf(b) - bytesOf(a));
}

/** What the process of an endpoint spent while it used the socket. */
export function usageOfEnd(endpoint: Endpoint, { state }: Queries): Usage | null {
  const share = endpoint.process === null ? undefined : endpoint.shareOf(endpoint.process);
  return share === undefined ? null : state.usageOf(share);
}

function bytesOf(share: ProcessShare): number {
  return share.sentPayloadBytes + share.receivedPayloadBytes;
}
