/** Gives a half its flow: the one of the half that mirrors it, or a new one. */
import { isUnspecifiedText } from '../capture/address.js';
import { HALF_FLAG, PeerHalf, ROLE_EVIDENCE, StreamSocket, type Half } from './halves.js';
import type { Endpoint, Flow, FlowName, Protocol } from './model.js';
import { NOTE } from './owners.js';
import type { Namespace } from './namespaces.js';
import type { Tables } from './tables.js';
import { otherEnd, type Tuple } from './tuples.js';

/** What a half's rows say about it. One instance serves them all, one after the other. */
export class Opening {
  protocol: Protocol = 'OTHER';
  ipVersion: 4 | 6 | null = null;
  readonly local: MutableTuple = { address: '', port: null };
  readonly remote: MutableTuple = { address: '', port: null };
  isClient = false;
  /** {@link ROLE_EVIDENCE} for {@link isClient}. */
  evidence = 0;
  startNs = 0;
  /** {@link FlowName.salt}, should it not be the first flow of its name. */
  salt = 0;
}

interface MutableTuple extends Tuple {
  address: string;
  port: number | null;
}

/** Decides who is the client when nothing was seen of it: the listener's side serves, or the lower port. */
export function guessRole(tables: Tables, namespace: Namespace, protocolNumber: number, opening: Opening): void {
  const { local, remote } = opening;
  const serves = (port: number | null): boolean =>
    port !== null && tables.listeners.has(namespace, protocolNumber, port);
  opening.evidence = ROLE_EVIDENCE.listener;
  if (serves(local.port)) opening.isClient = false;
  else if (namespace.isLocal(remote.address) && serves(remote.port)) opening.isClient = true;
  else {
    opening.isClient = (local.port ?? 0) >= (remote.port ?? 0);
    opening.evidence = ROLE_EVIDENCE.ports;
  }
}

/** Returns false when the flow table is full. */
export function attach(tables: Tables, half: Half, opening: Opening): boolean {
  const mate = tables.tuples.findMate(half, opening.local, opening.remote);
  if (mate !== null && mate.flow !== null && mate.endpoint !== null) join(tables, half, mate, mate.flow, opening);
  else if (!open(tables, half, opening)) return false;
  half.roleEvidence = opening.evidence;
  if (mayFindMate(half)) tables.tuples.add(half);
  if (half instanceof PeerHalf && half.mate === null) tables.targets.add(half);
  tables.touch(half);
  return true;
}

/** A connection has two ends, once; without connections the other end may be taken by another socket. */
function mayFindMate(half: Half): boolean {
  return half instanceof PeerHalf || (half.mate === null && half.mateEndReason === null);
}

/** Nobody can find the half any more. */
export function unindex(tables: Tables, half: Half): void {
  tables.tuples.remove(half);
  if (half instanceof PeerHalf) tables.targets.remove(half);
}

function open(tables: Tables, half: Half, opening: Opening): boolean {
  if (!tables.flows.hasRoom) {
    // Once for each: a later row of it may find room.
    if (!half.has(HALF_FLAG.refused)) tables.flows.refuse();
    half.flags |= HALF_FLAG.refused;
    return false;
  }
  const name = nameOf(tables, half, opening);
  const flow = tables.flows.create(name, opening.protocol, half.protocolNumber, opening.ipVersion);
  flow.startMicros = tables.clock.micros(opening.startNs);
  flow.lastMicros = flow.startMicros;
  flow.noteBits = tables.tiers.notesOf(half.protocolNumber);
  const local = opening.isClient ? flow.client : flow.server;
  place(half, flow, local, opening.local);
  const remote = otherEnd(flow, local);
  remote.address = opening.remote.address;
  remote.port = opening.remote.port;
  locate(flow, half);
  return true;
}

/** What the half calls its flow. A socket that connects again, or a peer that comes back, has another each time. */
function nameOf(tables: Tables, half: Half, opening: Opening): FlowName {
  const { ids, endedCookies, flows } = tables;
  const peer = half instanceof PeerHalf ? half.peer : null;
  const mayBeFirst = half instanceof PeerHalf ? !half.resumes : !endedCookies.has(half.cookie);
  const first = ids.flow(half.cookie, peer, 0);
  return mayBeFirst && !flows.has(first) ? first : ids.flow(half.cookie, peer, opening.salt);
}

/** Two halves become one flow. */
function join(tables: Tables, half: Half, mate: Half, flow: Flow, opening: Opening): void {
  const across = otherEnd(flow, mate.endpoint);
  const wouldBeClient = flow.client === across;
  if (opening.isClient !== wouldBeClient && opening.evidence > mate.roleEvidence) {
    [flow.client, flow.server] = [flow.server, flow.client];
  }
  place(half, flow, across, opening.local);
  half.mate = mate;
  if (mate instanceof PeerHalf) tables.targets.remove(mate);
  else tables.tuples.remove(mate);
  if (mate.has(HALF_FLAG.ended)) rememberEnd(tables, half, mate, flow);
  else mate.mate = half;
  // The flow is named after its client, as long as nobody has heard its name.
  if (flow.revision === 0 && flow.client === across) flow.name = nameOf(tables, half, opening);
  if (mate.endpoint !== null) nameLocal(flow, mate.endpoint, opening.remote.address);
  flow.startMicros = Math.min(flow.startMicros, tables.clock.micros(opening.startNs));
  locate(flow, half);
  tables.touch(mate);
}

/** The other socket is gone already, and its flow has waited for this one. */
function rememberEnd(tables: Tables, half: Half, mate: Half, flow: Flow): void {
  const linger = tables.lingerOf.get(flow);
  half.mate = null;
  half.mateEndReason = linger?.reason ?? 'END_OF_FLOW';
  unindex(tables, mate);
  // A connection goes on until this end closes, too; without connections the wait only lets the counters arrive.
  if (half instanceof StreamSocket) stopLinger(tables, flow);
  else mate.mate = half;
}

/** Nobody needs to wait for the flow's other end any more. */
export function stopLinger(tables: Tables, flow: Flow): void {
  const linger = tables.lingerOf.get(flow);
  if (linger === undefined) return;
  linger.done = true;
  tables.lingerOf.delete(flow);
  unindex(tables, linger.half);
}

/** A wildcard socket's address has become known, if it has. Returns whether that is news. */
export function nameLocal(flow: Flow, endpoint: Endpoint, address: string): boolean {
  if (!isUnspecifiedText(endpoint.address) || isUnspecifiedText(address)) return false;
  endpoint.address = address;
  flow.noteBits &= ~NOTE.localAddressUnknown;
  return true;
}

function place(half: Half, flow: Flow, endpoint: Endpoint, local: Tuple): void {
  half.flow = flow;
  half.endpoint = endpoint;
  if (endpoint.address === '' || isUnspecifiedText(endpoint.address)) endpoint.address = local.address;
  endpoint.port = local.port;
  endpoint.namespace = half.namespace;
  endpoint.local = true;
  if (isUnspecifiedText(endpoint.address) && half.protocolNumber !== 0) flow.noteBits |= NOTE.localAddressUnknown;
}

/** Which ends are on this host, and the direction that follows. */
export function locate(flow: Flow, half: Half): void {
  const across = otherEnd(flow, half.endpoint);
  if (!across.local && half.protocolNumber !== 0) across.local = half.namespace.isLocal(across.address);
  flow.direction = flow.client.local ? (flow.server.local ? 'LOCAL' : 'OUTBOUND') : 'INBOUND';
}
