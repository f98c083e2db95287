/**
 * Sums of flows by group.
 *
 * Some dimensions belong to the flow (protocol, port …), others to one of its ends (process, user, remote address …). When
 * any dimension belongs to an end, each local end of a flow contributes to its own group: it sent what it sent, and
 * received what the other end sent. A flow whose both ends fall into one group is counted there once in `flows` and in
 * the totals, while `sent` and `received` hold both ends' views. A flow with no local end is seen from its client.
 *
 * Several processes may have moved bytes on one end. Each then has the payload it moved, exactly; octets, packets and
 * retransmits are kept by socket and not by process, so they are divided in proportion to that payload.
 */
import type { Container, Endpoint, Flow, Process, User } from '../../correlate/model.js';
import type { Usage } from '../../correlate/usage.js';
import { Best } from './best.js';
import type { Predicate } from './fields.js';
import { networkOf } from './address.js';
import { comparator } from './order.js';
import {
  flowOctets,
  flowPackets,
  flowPayloadBytes,
  flowRetransmittedPackets,
  knownSum,
  ownerOf,
  type Names,
} from './measures.js';
import type { Deadline } from './page.js';
import { SUMMED_MEASURES, summedMeasure, sumOfUsage } from './spending.js';
import { ProcflowError } from '../../errors.js';

export const FLOW_DIMENSIONS = [
  'PROCESS',
  'PROCESS_NAME',
  'EXECUTABLE',
  'USER',
  'CONTAINER',
  'UNIT',
  'LOCAL_ADDRESS',
  'REMOTE_ADDRESS',
  'REMOTE_PREFIX',
  'PORT',
  'PROTOCOL',
  'APPLICATION',
  'DIRECTION',
  'STATE',
  'END_REASON',
  'HOST',
] as const;
export type FlowDimension = (typeof FLOW_DIMENSIONS)[number];

export const FLOW_MEASURES = [
  'FLOWS',
  'OCTETS',
  'PACKETS',
  'PAYLOAD_BYTES',
  'SENT_OCTETS',
  'RECEIVED_OCTETS',
  'SENT_PAYLOAD_BYTES',
  'RECEIVED_PAYLOAD_BYTES',
  'RETRANSMITTED_PACKETS',
  ...SUMMED_MEASURES,
] as const;
export type FlowMeasure = (typeof FLOW_MEASURES)[number];

export interface TrafficSum {
  octets: number | null;
  packets: number | null;
  payloadBytes: number | null;
  retransmittedPackets: number | null;
}

/** One group; the fields of dimensions that were not asked for are null. */
export class FlowTotal implements TrafficSum {
  constructor(
    readonly keys: readonly { readonly dimension: FlowDimension; readonly value: string | null }[],
    private readonly names: Names,
  ) {}
  /** At the near ends. */
  readonly processes = new Set<Process>();
  process: Process | null = null;
  processName: string | null = null;
  executable: string | null = null;
  user: User | null = null;
  container: Container | null = null;
  unit: string | null = null;
  localAddress: string | null = null;
  remoteAddress: string | null = null;
  remotePrefix: string | null = null;
  port: number | null = null;
  protocol: string | null = null;
  application: string | null = null;
  direction: string | null = null;
  state: string | null = null;
  endReason: string | null = null;
  host: string | null = null;
  flows = 0;
  octets: number | null = null;
  packets: number | null = null;
  payloadBytes: number | null = null;
  retransmittedPackets: number | null = null;
  readonly sent: TrafficSum = { octets: null, packets: null, payloadBytes: null, retransmittedPackets: null };
  readonly received: TrafficSum = { octets: null, packets: null, payloadBytes: null, retransmittedPackets: null };

  /** What its processes have spent since their start. */
  get usage(): Usage | null {
    return sumOfUsage([...this.processes].map((process) => this.names.totalUsage(process)));
  }

  /** What its processes spent between their two latest samples. */
  get currentUsage(): Usage | null {
    return sumOfUsage([...this.processes].map((process) => this.names.currentUsage(process)));
  }
}

/** A part of a flow as one group sees it. One object is filled again and again: a scan makes millions. */
interface Part {
  process: Process | null;
  near: Endpoint;
  far: Endpoint;
  /** The share of what is only known by socket, 0 to 1. */
  weight: number;
  sentPayload: number | null;
  receivedPayload: number | null;
}

interface TotalNames {
  readonly names: Names;
  readonly hostName: string;
}

interface Dimension {
  readonly isOfEnd: boolean;
  /** The group's key, and how it is written into the group's row. */
  readonly value: (flow: Flow, part: Part, of: TotalNames) => string | null;
  readonly fill: (total: FlowTotal, flow: Flow, part: Part, of: TotalNames) => void;
}

const DIMENSIONS: Readonly<Record<FlowDimension, Dimension>> = {
  PROCESS: {
    isOfEnd: true,
    value: (_, part) => part.process?.id ?? null,
    fill: (total, _, part) => (total.process = part.process),
  },
  PROCESS_NAME: ofEnd('processName', (part) => part.process?.name ?? null),
  EXECUTABLE: ofEnd('executable', (part) => part.process?.executable ?? null),
  USER: {
    isOfEnd: true,
    value: (_, part, { names }) => (part.process === null ? null : names.user(part.process.uid).name),
    fill: (total, _, part, { names }) => (total.user = part.process && names.user(part.process.uid)),
  },
  CONTAINER: {
    isOfEnd: true,
    value: (_, part) => part.process?.container?.id ?? null,
    fill: (total, _, part) => (total.container = part.process?.container ?? null),
  },
  UNIT: ofEnd('unit', (part) => part.process?.unit ?? null),
  LOCAL_ADDRESS: ofEnd('localAddress', (part) => part.near.address),
  REMOTE_ADDRESS: ofEnd('remoteAddress', (part) => part.far.address),
  REMOTE_PREFIX: ofEnd('remotePrefix', (part) => networkOf(part.far.address) ?? null),
  PORT: {
    isOfEnd: false,
    value: (flow) => (flow.server.port === null ? null : String(flow.server.port)),
    fill: (total, flow) => (total.port = flow.server.port),
  },
  PROTOCOL: ofFlow('protocol', (flow) => flow.protocol),
  APPLICATION: ofFlow('application', (flow) => flow.application?.name ?? null),
  DIRECTION: ofFlow('direction', (flow) => flow.direction),
  STATE: ofFlow('state', (flow) => flow.state),
  END_REASON: ofFlow('endReason', (flow) => flow.endReason),
  HOST: {
    isOfEnd: false,
    value: (_flow, _part, { hostName }) => hostName,
    fill: (total, _flow, _part, { hostName }) => (total.host = hostName),
  },
};

type TextField =
  | 'processName'
  | 'executable'
  | 'unit'
  | 'localAddress'
  | 'remoteAddress'
  | 'remotePrefix'
  | 'protocol'
  | 'application'
  | 'direction'
  | 'state'
  | 'endReason';

function ofEnd(field: TextField, value: (part: Part) => string | null): Dimension {
  return { isOfEnd: true, value: (_, part) => value(part), fill: (total, _, part) => (total[field] = value(part)) };
}

function ofFlow(field: TextField, value: (flow: Flow) => string | null): Dimension {
  return { isOfEnd: false, value, fill: (total, flow) => (total[field] = value(flow)) };
}

export interface TotalsRequest {
  readonly groupBy: readonly FlowDimension[];
  readonly orderBy: FlowMeasure;
  readonly first: number;
  readonly names: Names;
  readonly hostName: string;
  readonly deadline: Deadline;
}

/** More groups than this are refused: each costs memory until the query is answered. */
const MAX_GROUPS = 200_000;
const ROWS_PER_CHECK = 2048;

/** The largest groups first; ties by key. @throws ProcflowError QUERY_TOO_COMPLEX for too many groups */
export function totalFlows(rows: Iterable<Flow>, test: Predicate<Flow>, request: TotalsRequest): FlowTotal[] {
  const groups = new Groups(request);
  let scanned = 0;
  for (const flow of rows) {
    if (++scanned % ROWS_PER_CHECK === 0) request.deadline.check();
    if (test(flow)) groups.add(flow);
  }
  return groups.largest();
}

/** A group while it is summed up. */
class Group {
  constructor(readonly total: FlowTotal) {}
  /** The flow that was added last, with how much of it is counted: by the end that brought it first, and by the other. */
  flow: Flow | null = null;
  first: Endpoint | null = null;
  firstWeight = 0;
  otherWeight = 0;
}

class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #dimensions: readonly (Dimension & { readonly name: FlowDimension })[];
  readonly #isByEnd: boolean;
  #part: Part | undefined;

  constructor(private readonly request: TotalsRequest) {
    this.#dimensions = request.groupBy.map((name) => ({ name, ...DIMENSIONS[name] }));
    this.#isByEnd = this.#dimensions.some((dimension) => dimension.isOfEnd);
  }

  add(flow: Flow): void {
    const { client, server } = flow;
    const isSeenFromServer = server.local && !client.local;
    if (!this.#isByEnd) this.#addEnd(flow, isSeenFromServer ? server : client, isSeenFromServer ? client : server);
    else {
      // A flow with no local end is seen from its client.
      if (client.local || !server.local) this.#addProcesses(flow, client, server);
      if (server.local) this.#addProcesses(flow, server, client);
    }
  }

  largest(): FlowTotal[] {
    const { first, orderBy } = this.request;
    const best = new Best<FlowTotal>(first, comparator('DESC'));
    for (const [key, { total }] of this.#groups) best.offer(measureOf(total, orderBy), key, total);
    return best.sorted().map(({ row }) => row);
  }

  #addEnd(flow: Flow, near: Endpoint, far: Endpoint): void {
    const only = near.shares.length === 1 ? near.onlyShare : near.shares.find(({ hasMoved }) => hasMoved);
    const process = only?.hasMoved === true ? only.process : ownerOf(near);
    this.#addPart(flow, process, near, far, 1, near.sent.payloadBytes, far.sent.payloadBytes);
  }

  #addProcesses(flow: Flow, near: Endpoint, far: Endpoint): void {
    if (near.shares.length < 2) {
      this.#addEnd(flow, near, far);
      return;
    }
    const shares = near.shares.filter(({ hasMoved }) => hasMoved);
    if (shares.length < 2) {
      this.#addEnd(flow, near, far);
      return;
    }
    let moved = 0;
    for (const share of shares) moved += share.sentPayloadBytes + share.receivedPayloadBytes;
    for (const { process, sentPayloadBytes: sent, receivedPayloadBytes: received } of shares) {
      const weight = moved === 0 ? 1 / shares.length : (sent + received) / moved;
      this.#addPart(flow, process, near, far, weight, sent, received);
    }
  }

  #addPart(
    flow: Flow,
    process: Process | null,
    near: Endpoint,
    far: Endpoint,
    weight: number,
    sentPayload: number | null,
    receivedPayload: number | null,
  ): void {
    const part = (this.#part ??= { process, near, far, weight, sentPayload, receivedPayload });
    part.process = process;
    part.near = near;
    part.far = far;
    part.weight = weight;
    part.sentPayload = sentPayload;
    part.receivedPayload = receivedPayload;
    const group = this.#groupOf(flow, part);
    if (process !== null) group.total.processes.add(process);
    addWhole(group, flow, part);
    addTraffic(group.total.sent, near, weight, sentPayload);
    addTraffic(group.total.received, far, weight, receivedPayload);
  }

  #groupOf(flow: Flow, part: Part): Group {
    const key = this.#keyOf(flow, part);
    return this.#groups.get(key) ?? this.#make(key, flow, part);
  }

  #keyOf(flow: Flow, part: Part): string {
    const [only, second] = this.#dimensions;
    const { request } = this;
    if (only !== undefined && second === undefined) return only.value(flow, part, request) ?? UNKNOWN;
    return JSON.stringify(this.#dimensions.map((dimension) => dimension.value(flow, part, request)));
  }

  #make(key: string, flow: Flow, part: Part): Group {
    if (this.#groups.size >= MAX_GROUPS) {
      throw new ProcflowError('QUERY_TOO_COMPLEX', `more than ${MAX_GROUPS} groups: narrow the filter or the window`);
    }
    const { request } = this;
    const keys = this.#dimensions.map(({ name, value }) => ({ dimension: name, value: value(flow, part, request) }));
    const group = new Group(new FlowTotal(keys, request.names));
    for (const dimension of this.#dimensions) dimension.fill(group.total, flow, part, request);
    this.#groups.set(key, group);
    return group;
  }
}

/** The key of what has no value; no name of anything holds a zero. */
const UNKNOWN = '\0';

function measureOf(total: FlowTotal, measure: FlowMeasure): number | null {
  switch (measure) {
    case 'FLOWS':
      return total.flows;
    case 'OCTETS':
      return total.octets;
    case 'PACKETS':
      return total.packets;
    case 'PAYLOAD_BYTES':
      return total.payloadBytes;
    case 'SENT_OCTETS':
      return total.sent.octets;
    case 'RECEIVED_OCTETS':
      return total.received.octets;
    case 'SENT_PAYLOAD_BYTES':
      return total.sent.payloadBytes;
    case 'RECEIVED_PAYLOAD_BYTES':
      return total.received.payloadBytes;
    case 'RETRANSMITTED_PACKETS':
      return total.retransmittedPackets;
    default:
      return summedMeasure(measure, total);
  }
}

/** Adds a part to the totals of its group. What both ends bring is one flow: of the second only what exceeds the first. */
function addWhole(group: Group, flow: Flow, part: Part): void {
  const { total } = group;
  if (group.flow !== flow) {
    total.flows++;
    group.flow = flow;
    group.first = part.near;
    group.firstWeight = 0;
    group.otherWeight = 0;
  }
  if (group.first === part.near) {
    group.firstWeight += part.weight;
    addFlow(total, flow, part.weight, knownSum(part.sentPayload, part.receivedPayload));
    return;
  }
  const before = Math.max(0, group.otherWeight - group.firstWeight);
  group.otherWeight += part.weight;
  const more = Math.max(0, group.otherWeight - group.firstWeight) - before;
  if (more > 0) addFlow(total, flow, more, weighted(flowPayloadBytes(flow), more));
}

function addFlow(total: FlowTotal, flow: Flow, weight: number, payload: number | null): void {
  total.octets = knownSum(total.octets, weighted(flowOctets(flow), weight));
  total.packets = knownSum(total.packets, weighted(flowPackets(flow), weight));
  const retransmitted = weighted(flowRetransmittedPackets(flow), weight);
  total.retransmittedPackets = knownSum(total.retransmittedPackets, retransmitted);
  total.payloadBytes = knownSum(total.payloadBytes, payload);
}

function addTraffic(sum: TrafficSum, { sent }: Endpoint, weight: number, payload: number | null): void {
  sum.octets = knownSum(sum.octets, weighted(sent.octets, weight));
  sum.packets = knownSum(sum.packets, weighted(sent.packets, weight));
  sum.retransmittedPackets = knownSum(sum.retransmittedPackets, weighted(sent.retransmittedPackets, weight));
  sum.payloadBytes = knownSum(sum.payloadBytes, payload);
}

function weighted(value: number | null, weight: number): number | null {
  return value === null || weight === 1 ? value : Math.round(value * weight);
}
