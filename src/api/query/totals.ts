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
import { Best } from './best.js';
import type { Predicate } from './fields.js';
import { networkOf } from './address.js';
import { comparator } from './order.js';
import { knownSum, ownerOf, type Names } from './measures.js';
import type { Deadline } from './page.js';
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
  constructor(readonly keys: readonly { readonly dimension: FlowDimension; readonly value: string | null }[]) {}
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
}

/** A part of a flow as one group sees it. */
interface Part {
  readonly process: Process | null;
  readonly near: Endpoint;
  readonly far: Endpoint;
  /** The share of what is only known by socket, 0 to 1. */
  readonly weight: number;
  readonly sentPayload: number | null;
  readonly receivedPayload: number | null;
}

interface Dimension {
  readonly isOfEnd: boolean;
  /** The group's key, and how it is written into the group's row. */
  value(flow: Flow, part: Part, names: Names & { hostName: string }): string | null;
  fill(total: FlowTotal, flow: Flow, part: Part, names: Names & { hostName: string }): void;
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
    value: (_, part, names) => (part.process === null ? null : names.user(part.process.uid).name),
    fill: (total, _, part, names) => (total.user = part.process && names.user(part.process.uid)),
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
  DIRECTION: ofFlow('direction', (flow) => flow.direction),
  STATE: ofFlow('state', (flow) => flow.state),
  END_REASON: ofFlow('endReason', (flow) => flow.endReason),
  HOST: {
    isOfEnd: false,
    value: (_flow, _part, names) => names.hostName,
    fill: (total, _flow, _part, names) => (total.host = names.hostName),
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
  readonly names: Names & { hostName: string };
  readonly deadline: Deadline;
}

/** More groups than this are refused: each costs memory until the query is answered. */
const MAX_GROUPS = 200_000;
const ROWS_PER_CHECK = 2048;

/** The largest groups first; ties by key. @throws ProcflowError QUERY_TOO_COMPLEX for too many groups */
export function totalFlows(rows: Iterable<Flow>, test: Predicate<Flow>, request: TotalsRequest): FlowTotal[] {
  const groups = new Map<string, FlowTotal>();
  const dimensions = request.groupBy.map((name) => ({ name, ...DIMENSIONS[name] }));
  const isByEnd = dimensions.some((dimension) => dimension.isOfEnd);
  let scanned = 0;
  for (const flow of rows) {
    if (++scanned % ROWS_PER_CHECK === 0) request.deadline.check();
    if (!test(flow)) continue;
    const seen = new Map<FlowTotal, Seen>();
    for (const part of isByEnd ? partsOf(flow) : [wholeOf(flow)]) {
      const total = groupOf(groups, dimensions, flow, part, request.names);
      addWhole(total, flow, part, seen);
      addViews(total, part);
    }
  }
  return largest(groups, request);
}

function largest(groups: ReadonlyMap<string, FlowTotal>, { orderBy, first }: TotalsRequest): FlowTotal[] {
  const best = new Best<FlowTotal>(first, comparator('DESC'));
  for (const [key, total] of groups) best.offer(measureOf(total, orderBy), key, total);
  return best.sorted().map(({ row }) => row);
}

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
  }
}

function groupOf(
  groups: Map<string, FlowTotal>,
  dimensions: readonly (Dimension & { name: FlowDimension })[],
  flow: Flow,
  part: Part,
  names: Names & { hostName: string },
): FlowTotal {
  const values = dimensions.map((dimension) => dimension.value(flow, part, names));
  const key = values.length === 1 && values[0] !== null ? (values[0] ?? '') : JSON.stringify(values);
  let total = groups.get(key);
  if (total === undefined) {
    if (groups.size >= MAX_GROUPS) {
      throw new ProcflowError('QUERY_TOO_COMPLEX', `more than ${MAX_GROUPS} groups: narrow the filter or the window`);
    }
    total = new FlowTotal(dimensions.map(({ name }, i) => ({ dimension: name, value: values[i] ?? null })));
    for (const dimension of dimensions) dimension.fill(total, flow, part, names);
    groups.set(key, total);
  }
  return total;
}

/** The flow seen from its local end, or from its client when both or neither are local. */
function wholeOf(flow: Flow): Part {
  const fromServer = flow.server.local && !flow.client.local;
  return fromServer ? endPart(flow.server, flow.client) : endPart(flow.client, flow.server);
}

function partsOf(flow: Flow): Part[] {
  const parts: Part[] = [];
  if (flow.client.local) parts.push(...processParts(flow.client, flow.server));
  if (flow.server.local) parts.push(...processParts(flow.server, flow.client));
  return parts.length > 0 ? parts : [endPart(flow.client, flow.server)];
}

function endPart(near: Endpoint, far: Endpoint): Part {
  return {
    process: near.shares[0]?.process ?? ownerOf(near),
    near,
    far,
    weight: 1,
    sentPayload: near.sent.payloadBytes,
    receivedPayload: far.sent.payloadBytes,
  };
}

function processParts(near: Endpoint, far: Endpoint): Part[] {
  if (near.shares.length < 2) return [endPart(near, far)];
  const moved = near.shares.reduce((sum, share) => sum + share.sentPayloadBytes + share.receivedPayloadBytes, 0);
  return near.shares.map((share) => ({
    process: share.process,
    near,
    far,
    weight: moved === 0 ? 1 / near.shares.length : (share.sentPayloadBytes + share.receivedPayloadBytes) / moved,
    sentPayload: share.sentPayloadBytes,
    receivedPayload: share.receivedPayloadBytes,
  }));
}

/** How much of a flow a group has counted already, by the end that brought it first and by the other. */
interface Seen {
  readonly first: Endpoint;
  firstWeight: number;
  otherWeight: number;
}

/** Adds a part to the totals of its group. What both ends bring is one flow: of the second only what exceeds the first. */
function addWhole(total: FlowTotal, flow: Flow, part: Part, seen: Map<FlowTotal, Seen>): void {
  let counted = seen.get(total);
  if (counted === undefined) {
    total.flows++;
    counted = { first: part.near, firstWeight: 0, otherWeight: 0 };
    seen.set(total, counted);
  }
  if (counted.first === part.near) {
    counted.firstWeight += part.weight;
    addFlow(total, flow, part.weight, knownSum(part.sentPayload, part.receivedPayload));
    return;
  }
  const before = Math.max(0, counted.otherWeight - counted.firstWeight);
  counted.otherWeight += part.weight;
  const more = Math.max(0, counted.otherWeight - counted.firstWeight) - before;
  if (more <= 0) return;
  const payload = knownSum(flow.client.sent.payloadBytes, flow.server.sent.payloadBytes);
  addFlow(total, flow, more, weighted(payload, more));
}

function addFlow(total: FlowTotal, { client, server }: Flow, weight: number, payload: number | null): void {
  for (const name of ['octets', 'packets', 'retransmittedPackets'] as const) {
    total[name] = knownSum(total[name], weighted(knownSum(client.sent[name], server.sent[name]), weight));
  }
  total.payloadBytes = knownSum(total.payloadBytes, payload);
}

function addViews(total: FlowTotal, part: Part): void {
  const { near, far, weight } = part;
  addTraffic(total.sent, near, weight, part.sentPayload);
  addTraffic(total.received, far, weight, part.receivedPayload);
}

function addTraffic(sum: TrafficSum, sender: Endpoint, weight: number, payload: number | null): void {
  for (const name of ['octets', 'packets', 'retransmittedPackets'] as const) {
    sum[name] = knownSum(sum[name], weighted(sender.sent[name], weight));
  }
  sum.payloadBytes = knownSum(sum.payloadBytes, payload);
}

function weighted(value: number | null, weight: number): number | null {
  return value === null || weight === 1 ? value : Math.round(value * weight);
}
