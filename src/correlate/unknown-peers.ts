/**
 * Datagrams whose receiver did not ask who sent them: capture knows the socket, not the peer.
 *
 * They wait on their socket until it is clear whose they were: the only peer there is, or senders that have sent exactly
 * as much, by the packets that arrived or by their own counters on this host. What cannot be told apart goes to a flow with an unspecified peer. Every byte is given once.
 */
import { isLoopbackText, isUnspecifiedText } from '../capture/address.js';
import { TRAFFIC_FLAG } from '../capture/layout.js';
import { Counters, OWNER_RANK, UnknownPeers, type BoundSocket, type PeerHalf } from './halves.js';
import type { Process } from './model.js';
import type { Namespace } from './namespaces.js';
import { NOTE, proposeOwner } from './owners.js';
import { allPeers, datagramShareOf, keptPort, NOBODY, openPeer, peerOf } from './peers.js';
import type { Tables } from './tables.js';
import type { TrafficRow } from './traffic-row.js';
import { otherEnd } from './tuples.js';
import { wireSenders } from './wire-peers.js';

/** How long to wait for the senders' rows, which may be read with another poll. */
const WAIT_NS = 1e9;

const RECEIVED = ['receivedBytes', 'receivedMessages', 'receivedOctets', 'receivedPackets'] as const;

/** Keeps what a process received until {@link resolveUnknown}. */
export function receivedFromUnknown(tables: Tables, socket: BoundSocket, row: TrafficRow): void {
  const unknown = (socket.unknown ??= new UnknownPeers());
  const process = tables.processes.reference(row.pid, row.startNs);
  let entry = unknown.received.get(process);
  if (entry === undefined) {
    entry = { total: new Counters(), base: new Counters(), given: new Counters() };
    unknown.received.set(process, entry);
  }
  for (const counter of RECEIVED) {
    // Below what was seen: the end of the counters was lost, and they began at zero again.
    if (row[counter] + entry.base[counter] < entry.total[counter]) entry.base[counter] = entry.total[counter];
    entry.total[counter] = row[counter] + entry.base[counter];
    if ((row.flags & TRAFFIC_FLAG.final) !== 0) entry.base[counter] = entry.total[counter];
  }
  unknown.firstNs = Math.min(unknown.firstNs, row.firstNs || row.lastNs);
  unknown.lastNs = Math.max(unknown.lastNs, row.lastNs);
  if (!tables.unresolved.has(socket)) {
    unknown.sinceNs = tables.clock.nowNs;
    tables.unresolved.add(socket);
  }
}

/** A flow that may get something, and how much of it is missing there. */
interface Target {
  readonly half: PeerHalf | null;
  /** The half of a sender on this host that has not been joined yet. */
  readonly sender: PeerHalf | null;
  readonly room: Counters;
  /** The room is what arrived in packets: there cannot be more of it. */
  readonly counted: boolean;
}

/** Gives what waits to flows, if it is clear to which, or `final`ly. */
export function resolveUnknown(tables: Tables, socket: BoundSocket, final: boolean): void {
  const { unknown } = socket;
  if (unknown === null) return;
  const pending = pendingOf(unknown);
  if (pending.receivedMessages === 0 && pending.receivedBytes === 0) {
    tables.unresolved.delete(socket);
    return;
  }
  const targets = targetsOf(tables, socket);
  const room = targets.reduce((sum, target) => sum + target.room.receivedBytes, 0);
  const roomMessages = targets.reduce((sum, target) => sum + target.room.receivedMessages, 0);
  const single = targets.length === 1 ? targets[0] : undefined;
  const exact = room === pending.receivedBytes && roomMessages === pending.receivedMessages && targets.length > 0;
  const isOpen = single?.sender === null && !single.counted;
  const fitsSingle = single !== undefined && (isOpen || pending.receivedBytes <= room);
  const late = final || tables.clock.nowNs - unknown.sinceNs >= WAIT_NS;
  if (!exact && !fitsSingle && !late) return;
  if (single !== undefined && (fitsSingle || !single.counted)) give(tables, socket, unknown, single, null, false);
  else {
    for (const target of targets) give(tables, socket, unknown, target, target.room, !exact);
    giveRest(tables, socket, unknown);
  }
  tables.unresolved.delete(socket);
}

function pendingOf(unknown: UnknownPeers): Counters {
  const pending = new Counters();
  for (const { total, given } of unknown.received.values()) {
    for (const counter of RECEIVED) pending[counter] += total[counter] - given[counter];
  }
  return pending;
}

function targetsOf(tables: Tables, socket: BoundSocket): Target[] {
  const counted = wireSenders(socket);
  if (counted !== null) return counted.map((from) => ({ ...from, sender: null, counted: true }));
  const targets: Target[] = [];
  for (const half of allPeers(socket)) {
    if (half.flow === null || half === socket.unknown?.half) continue;
    targets.push({ half, sender: null, room: roomOf(half), counted: false });
  }
  for (const sender of tables.targets.to(keptPort(socket))) {
    if (sendsTo(tables, sender, socket)) targets.push({ half: null, sender, room: sentBy(sender), counted: false });
  }
  return targets;
}

function sendsTo(tables: Tables, sender: PeerHalf, socket: BoundSocket): boolean {
  const { flow, endpoint, mate } = sender;
  if (flow === null || endpoint === null || mate !== null || sender.socket === socket) return false;
  if (sender.protocolNumber !== socket.protocolNumber) return false;
  // A port names the sender, should its address not be known.
  if (isUnspecifiedText(endpoint.address) && keptPort(sender.socket) === 0) return false;
  const to = otherEnd(flow, endpoint).address;
  if (sender.namespace !== socket.namespace && !isReachedFrom(tables, sender.namespace, to, socket)) return false;
  return isUnspecifiedText(socket.localAddress)
    ? isLoopbackText(to) || socket.namespace.isLocal(to)
    : to === socket.localAddress;
}

/** Whether `to` is without doubt this socket's when another namespace sends there: several may have one address. */
function isReachedFrom(tables: Tables, from: Namespace, to: string, socket: BoundSocket): boolean {
  const candidates = tables.namespaces.having(to);
  if (!candidates.has(socket.namespace) || candidates.has(from)) return false;
  for (const namespace of candidates) {
    if (namespace === socket.namespace) continue;
    if (tables.listeners.has(namespace, socket.protocolNumber, socket.localPort)) return false;
  }
  return true;
}

/** What a sender has sent, as its receiver counts it. */
function sentBy(sender: PeerHalf): Counters {
  const sent = new Counters();
  for (const share of sender.shares) {
    sent.receivedBytes += share.sentPayloadBytes;
    sent.receivedMessages += share.sentMessages;
    sent.receivedOctets += share.sentOctets;
    sent.receivedPackets += share.sentPackets;
  }
  return sent;
}

/** What a joined flow's sender has sent and its receiver not got yet; nothing when the sender is elsewhere. */
function roomOf(half: PeerHalf): Counters {
  const { mate } = half;
  if (mate === null || !('peerPort' in mate)) return new Counters();
  const room = sentBy(mate as PeerHalf);
  for (const share of half.shares) {
    room.receivedBytes -= share.receivedPayloadBytes;
    room.receivedMessages -= share.receivedMessages;
    room.receivedOctets -= share.receivedOctets;
    room.receivedPackets -= share.receivedPackets;
  }
  for (const counter of RECEIVED) room[counter] = Math.max(0, room[counter]);
  return room;
}

/** Gives a flow what waits, up to `limit`. */
function give(
  tables: Tables,
  socket: BoundSocket,
  unknown: UnknownPeers,
  target: Target,
  limit: Counters | null,
  isGuess: boolean,
): void {
  const half = target.half ?? receiverOf(tables, socket, unknown, target.sender);
  if (half === null) return;
  const opening = { firstNs: unknown.firstNs, firstReceived: true, localAddress: null };
  if (half.flow === null && !openPeer(tables, half, opening)) return;
  const left = limit === null ? null : Object.assign(new Counters(), limit);
  for (const [process, entry] of unknown.received) {
    const amount = new Counters();
    for (const counter of RECEIVED) {
      const waiting = entry.total[counter] - entry.given[counter];
      amount[counter] = left === null ? waiting : Math.min(waiting, left[counter]);
      if (left !== null) left[counter] -= amount[counter];
      entry.given[counter] += amount[counter];
    }
    addReceived(tables, half, process, amount);
  }
  const { flow } = half;
  if (flow === null) return;
  if (isGuess) flow.noteBits |= NOTE.peerUnknown;
  flow.lastMicros = Math.max(flow.lastMicros, tables.clock.micros(unknown.lastNs));
  tables.touch(half);
}

/** The receiving half of a sender's flow. */
function receiverOf(
  tables: Tables,
  socket: BoundSocket,
  unknown: UnknownPeers,
  sender: PeerHalf | null,
): PeerHalf | null {
  if (sender === null || sender.endpoint === null || sender.flow === null) return null;
  const { endpoint, flow } = sender;
  const half = peerOf(socket, endpoint.address, keptPort(sender.socket));
  const localAddress = otherEnd(flow, endpoint).address;
  if (half.flow === null && !openPeer(tables, half, { firstNs: unknown.firstNs, firstReceived: true, localAddress }))
    return null;
  return half;
}

function giveRest(tables: Tables, socket: BoundSocket, unknown: UnknownPeers): void {
  const rest = pendingOf(unknown);
  if (rest.receivedMessages === 0 && rest.receivedBytes === 0) return;
  const half = (unknown.half ??= peerOf(socket, socket.family === 2 ? '0.0.0.0' : '::', 0));
  give(tables, socket, unknown, { half, sender: null, room: rest, counted: false }, null, true);
}

function addReceived(tables: Tables, half: PeerHalf, process: Process | null, amount: Counters): void {
  if (amount.receivedMessages === 0 && amount.receivedBytes === 0) return;
  const share = datagramShareOf(half, process ?? NOBODY);
  // On top of what the kernel counts for this peer by itself.
  share.base ??= new Counters();
  share.base.receivedBytes += amount.receivedBytes;
  share.base.receivedMessages += amount.receivedMessages;
  share.base.receivedOctets += amount.receivedOctets;
  share.base.receivedPackets += amount.receivedPackets;
  share.receivedPayloadBytes += amount.receivedBytes;
  share.receivedMessages += amount.receivedMessages;
  share.receivedOctets += amount.receivedOctets;
  share.receivedPackets += amount.receivedPackets;
  if (half.flow !== null) tables.usage.moved(half, share);
  proposeOwner(tables, half, process, OWNER_RANK.mover);
}
