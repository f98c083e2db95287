/** The one place that turns the live state's objects into REST's JSON: the fields of GraphQL under the same names. */
import {
  type Application,
  noteCodes,
  type Container,
  type Endpoint,
  type Flow,
  type Process,
  type Traffic,
  type User,
} from '../../correlate/model.js';
import type { Governor } from '../../correlate/live-state.js';
import type { SeriesValues } from '../../correlate/series/values.js';
import type { Usage } from '../../correlate/usage.js';
import { NOTE_TEXTS } from '../graphql/note-texts.js';
import { sharesOf, usageOfEnd } from '../graphql/resolvers.js';
import { formatLong } from '../graphql/scalars.js';
import type { ExporterStatus } from '../../export/index.js';
import type { HostView } from '../graphql/mapped.js';
import {
  commandLineOf,
  flowDurationMs,
  formatTime,
  ownerOf,
  SERIES_VALUES,
  type FlowTotal,
  type NetworkUsage,
  type Queries,
  type SeriesList,
  type SeriesRow,
  type Spending,
  type TimeSeries,
} from '../query/index.js';
import type { Sample } from '../stream/index.js';

/** What the shapes need to know besides the rows. */
export interface ShapeContext {
  readonly queries: Queries;
  readonly mayReadCommandLines: boolean;
  readonly host: { readonly id: string; readonly name: string };
}

export type Json = Readonly<Record<string, unknown>>;

export const time = (micros: number | null): string | null => (micros === null ? null : formatTime(micros));
export const count = (value: number | null): number | string | null => (value === null ? null : formatLong(value));

export function flowShape(flow: Flow, context: ShapeContext): Json {
  return {
    id: flow.id,
    communityId: flow.communityId,
    host: context.host,
    protocol: flow.protocol,
    protocolNumber: flow.protocolNumber,
    ipVersion: flow.ipVersion,
    direction: flow.direction,
    state: flow.state,
    client: endpointShape(flow.client, context),
    server: endpointShape(flow.server, context),
    startTime: formatTime(flow.startMicros),
    lastTime: formatTime(flow.lastMicros),
    endTime: time(flow.endMicros),
    durationMs: flowDurationMs(flow),
    endReason: flow.endReason,
    startedBefore: flow.startedBefore,
    rttMicros: flow.rttMicros,
    minRttMicros: flow.minRttMicros,
    application: flow.application && applicationShape(flow.application),
    notes: noteCodes(context.queries.state.notesOf(flow)).map((code) => ({ code, description: NOTE_TEXTS[code] })),
  };
}

function endpointShape(endpoint: Endpoint, context: ShapeContext): Json {
  const owner = ownerOf(endpoint);
  return {
    address: endpoint.address,
    port: endpoint.port,
    hostname: endpoint.hostname,
    local: endpoint.local,
    process: endpoint.process && processBrief(endpoint.process, context),
    processes: sharesOf(endpoint).map((share) => ({
      process: processBrief(share.process, context),
      sentPayloadBytes: formatLong(share.sentPayloadBytes),
      receivedPayloadBytes: formatLong(share.receivedPayloadBytes),
      usage: usageShape(context.queries.state.usageOf(share)),
    })),
    creator: endpoint.creator && processBrief(endpoint.creator, context),
    user: owner && userBrief(context.queries.state.user(owner.uid)),
    container: owner?.container ? containerBrief(owner.container) : null,
    sent: trafficShape(endpoint.sent),
    usage: usageShape(usageOfEnd(endpoint, context.queries)),
  };
}

/** Its fields are the schema's own, in a fixed order. */
function applicationShape(application: Application): Json {
  const { protocol, name, category, confidence, serverName, alpn, tlsVersion } = application;
  const { httpHost, httpUserAgent, dnsQuery, dnsReplyCode, sshClient, sshServer } = application;
  return {
    protocol,
    name,
    category,
    confidence,
    serverName,
    alpn,
    tlsVersion,
    httpHost,
    httpUserAgent,
    dnsQuery,
    dnsReplyCode,
    sshClient,
    sshServer,
  };
}

function trafficShape(traffic: Traffic): Json {
  return {
    octets: count(traffic.octets),
    packets: count(traffic.packets),
    payloadBytes: count(traffic.payloadBytes),
    messages: count(traffic.messages),
    retransmittedPackets: count(traffic.retransmittedPackets),
    octetsDerived: traffic.octetsDerived,
    tcpFlags: traffic.tcpFlags,
  };
}

/** A process inside something else. */
export function processBrief(process: Process, context: ShapeContext): Json {
  return {
    id: process.id,
    pid: process.pid,
    name: process.name,
    executable: process.executable,
    commandLine: context.mayReadCommandLines ? commandLineOf(process.arguments) : null,
    user: userBrief(context.queries.state.user(process.uid)),
    parent: process.parent && parentBrief(process.parent),
  };
}

function parentBrief({ id, pid, name }: Process): Json {
  return { id, pid, name };
}

function userBrief({ uid, name }: User): Json {
  return { uid, name };
}

function containerBrief({ id, runtime, podUid }: Container): Json {
  return { id, runtime, podUid };
}

export function containerShape(container: Container, { queries }: ShapeContext): Json {
  return { ...containerBrief(container), ...spendingShape(queries.groupSpending('container', container.id)) };
}

/** What was spent in a window. */
export function usageShape(usage: Usage | null): Json | null {
  if (usage === null) return null;
  return {
    window: { from: formatTime(usage.window.from), to: formatTime(usage.window.to) },
    cpuTimeMs: usage.cpuTimeMs,
    userMs: usage.userMs,
    systemMs: usage.systemMs,
    averageCpuLoadPercent: usage.averageCpuLoadPercent,
    memoryBytes: count(usage.memoryBytes),
    peakMemoryBytes: count(usage.peakMemoryBytes),
    minorFaults: count(usage.minorFaults),
    majorFaults: count(usage.majorFaults),
    ioWaitMs: usage.ioWaitMs,
    ioWaitPercent: usage.ioWaitPercent,
    readBytes: count(usage.readBytes),
    writtenBytes: count(usage.writtenBytes),
    voluntarySwitches: count(usage.voluntarySwitches),
    involuntarySwitches: count(usage.involuntarySwitches),
  };
}

function networkShape(network: NetworkUsage): Json {
  return {
    sentOctets: formatLong(network.sentOctets),
    receivedOctets: formatLong(network.receivedOctets),
    sentPackets: formatLong(network.sentPackets),
    receivedPackets: formatLong(network.receivedPackets),
    connections: network.connections,
  };
}

function spendingShape({ usage, currentUsage, network }: Spending): Json {
  return { usage: usageShape(usage), currentUsage: usageShape(currentUsage), network: networkShape(network) };
}

export function sampleShape({ process, usage, network }: Sample, context: ShapeContext): Json {
  return { process: processBrief(process, context), usage: usageShape(usage), network: networkShape(network) };
}

export function seriesShape(series: SeriesRow, context: ShapeContext): Json {
  return {
    process: series.process && processBrief(series.process, context),
    executable: series.executable,
    user: series.user && userBrief(series.user),
    container: series.container && containerBrief(series.container),
    host: series.host,
    values: valuesShape(series.values),
  };
}

export function timeSeriesShape(series: TimeSeries): ReturnType<typeof stepsShape> {
  return { ...stepsShape(series), values: valuesShape(series.values) };
}

export function stepsShape({
  from,
  to,
  stepMs,
  timestamps,
}: SeriesList | TimeSeries): Json & { readonly timestamps: readonly string[] } {
  return { from: formatTime(from), to: formatTime(to), stepMs, timestamps: timestamps.map(formatTime) };
}

/** Each list is made when it is read: `fields` may name only a few. */
function valuesShape(values: SeriesValues): Json {
  return Object.defineProperties(
    {},
    Object.fromEntries(SERIES_VALUES.map((name) => [name, { enumerable: true, get: () => values[name] }])),
  );
}

export function processShape(process: Process, context: ShapeContext): Json {
  const { mayReadCommandLines } = context;
  return {
    id: process.id,
    host: context.host,
    pid: process.pid,
    name: process.name,
    executable: process.executable,
    commandLine: mayReadCommandLines ? commandLineOf(process.arguments) : null,
    arguments: mayReadCommandLines ? process.arguments : null,
    argumentsTruncated: process.argumentsTruncated,
    user: userBrief(context.queries.state.user(process.uid)),
    gid: process.gid,
    parent: process.parent && parentBrief(process.parent),
    cgroup: process.cgroup,
    container: process.container && containerBrief(process.container),
    unit: process.unit,
    startTime: formatTime(process.startMicros),
    endTime: time(process.endMicros),
    exitCode: process.exitCode,
    exitSignal: process.exitSignal,
    startedBefore: process.startedBefore,
    images: process.images.map((image) => ({
      name: image.name,
      executable: image.executable,
      arguments: mayReadCommandLines ? image.arguments : null,
      argumentsTruncated: image.argumentsTruncated,
      startTime: formatTime(image.startMicros),
    })),
    ...spendingShape(context.queries.spendingOf(process)),
  };
}

export function userShape(user: User, { queries }: ShapeContext): Json {
  const { uid, name } = user;
  return { id: queries.userId(user), uid, name, ...spendingShape(queries.groupSpending('user', uid)) };
}

export function totalShape(total: FlowTotal, context: ShapeContext): Json {
  const sum = (traffic: FlowTotal['sent']): Json => ({
    octets: count(traffic.octets),
    packets: count(traffic.packets),
    payloadBytes: count(traffic.payloadBytes),
    retransmittedPackets: count(traffic.retransmittedPackets),
  });
  return {
    keys: total.keys,
    process: total.process && processBrief(total.process, context),
    processName: total.processName,
    executable: total.executable,
    user: total.user && userBrief(total.user),
    container: total.container && containerBrief(total.container),
    unit: total.unit,
    localAddress: total.localAddress,
    remoteAddress: total.remoteAddress,
    remotePrefix: total.remotePrefix,
    port: total.port,
    protocol: total.protocol,
    application: total.application,
    direction: total.direction,
    state: total.state,
    endReason: total.endReason,
    host: total.host,
    flows: formatLong(total.flows),
    ...sum(total),
    sent: sum(total.sent),
    received: sum(total.received),
    usage: usageShape(total.usage),
    currentUsage: usageShape(total.currentUsage),
  };
}

function exporterShape(exporter: ExporterStatus): Json {
  return {
    name: exporter.name,
    format: exporter.format,
    transport: exporter.transport,
    state: exporter.state,
    since: formatTime(exporter.sinceMicros),
    sentRecords: formatLong(exporter.sentRecords),
    sentMessages: formatLong(exporter.sentMessages),
    sentOctets: formatLong(exporter.sentOctets),
    notSentRecords: formatLong(exporter.notSentRecords),
    notSentPackets: formatLong(exporter.notSentPackets),
    notSentOctets: formatLong(exporter.notSentOctets),
    queuedBytes: formatLong(exporter.queuedBytes),
    templates: exporter.templates,
    sessions: exporter.sessions,
    lastError: exporter.lastError,
    lastErrorTime: time(exporter.lastErrorMicros),
  };
}

export function hostShape(host: HostView, spending: Spending): Json {
  return {
    id: host.id,
    name: host.name,
    bootId: host.bootId,
    kernel: host.kernel,
    agentVersion: host.agentVersion,
    agentPid: host.agentPid,
    startTime: formatTime(host.startMicros),
    source: host.source,
    sourceReason: host.sourceReason,
    tiers: host.tiers.map(({ name, state, reason, sinceMicros }) => ({
      name,
      state,
      reason,
      since: time(sinceMicros),
    })),
    losses: host.losses.map((loss) => ({ place: loss.place, count: formatLong(loss.count) })),
    ...spendingShape(spending),
    liveFlows: host.liveFlows,
    endedFlows: host.endedFlows,
    liveProcesses: host.liveProcesses,
    flowsStarted: formatLong(host.flowsStarted),
    flowsEnded: formatLong(host.flowsEnded),
    liveExchanges: host.liveExchanges,
    endedExchanges: host.endedExchanges,
    exchangesStarted: formatLong(host.exchangesStarted),
    exchangesEnded: formatLong(host.exchangesEnded),
    agentCpuTimeMs: host.agentCpuTimeMs,
    agentMemoryBytes: formatLong(host.agentMemoryBytes),
    programRuns: Object.entries(host.programRuns).map(([program, runs]) => ({ program, runs: formatLong(runs) })),
    governor: host.governor === null ? null : governorShape(host.governor),
    lastPollMs: host.lastPollMs,
    pollIntervalMs: host.pollIntervalMs,
    sampleIntervalMs: host.sampleIntervalMs,
    delayAccounting: host.delayAccounting,
    subscribers: host.subscribers,
    exporters: host.exporters.map(exporterShape),
    agentCapabilities: { capture: host.agentCapabilities.capture, others: host.agentCapabilities.others },
  };
}

function governorShape(governor: Governor): Json {
  const { budgetPercent, loadPercent, calibration, calibrationReason, programs, shedSinceMicros, shedSpans } = governor;
  return {
    budgetPercent,
    loadPercent,
    calibration,
    calibrationReason,
    programs: programs.map(({ name, runs, runsPerSecond, costNs, loadPercent: load }) => ({
      name,
      runs: formatLong(runs),
      runsPerSecond,
      costNs,
      loadPercent: load,
    })),
    shedSince: time(shedSinceMicros),
    shedSpans: shedSpans.map(({ tier, fromMicros, toMicros }) => ({
      tier,
      from: formatTime(fromMicros),
      to: time(toMicros),
    })),
  };
}

/** A process and what it forked, down to a depth and a number of processes. */
export function treeShape(root: Process, depth: number, context: ShapeContext): Json {
  const ancestors: Json[] = [];
  for (let up = root.parent; up !== null && ancestors.length < MAX_ANCESTORS; up = up.parent)
    ancestors.push(processBrief(up, context));
  const budget = { left: MAX_TREE };
  return { ancestors, process: branch(root, depth, budget, context), truncated: budget.left < 0 };
}

const MAX_ANCESTORS = 256;
const MAX_TREE = 5000;

function branch(process: Process, depth: number, budget: { left: number }, context: ShapeContext): Json {
  const children: Json[] = [];
  for (const child of process.children) {
    if (depth <= 0 || budget.left <= 0) {
      budget.left = -1;
      break;
    }
    budget.left--;
    children.push(branch(child, depth - 1, budget, context));
  }
  return {
    ...processBrief(process, context),
    startTime: formatTime(process.startMicros),
    endTime: time(process.endMicros),
    children,
  };
}
