/** The halves of sockets that are not TCP: one for each peer. */
import { isUnspecifiedText } from '../capture/address.js';
import { SOCKET_FLAG } from '../capture/layout.js';
import { attach, guessRole, unindex, type Role } from './attach.js';
import { Counters, DatagramShare, PeerHalf, ROLE_EVIDENCE, type BoundSocket } from './halves.js';
import { Process, type Protocol } from './model.js';
import { NOTE, proposeOwner, setCreator } from './owners.js';
import type { Tables } from './tables.js';
import { hashTuple } from './tuples.js';

export const PACKET = 0;
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);
const AF_INET = 2;

/** Stands for whoever moved bytes without a name. It is shown nowhere. */
export const NOBODY = new Process('', 0, 0, 0);

export function protocolOf(protocolNumber: number, family: number, type: number): Protocol {
  switch (protocolNumber) {
    case 6:
      return 'TCP';
    case 17:
      return 'UDP';
    case 1:
      return 'ICMP';
    case 58:
      return 'ICMPV6';
    case 132:
      return 'SCTP';
  }
  if (family === 17) return 'PACKET';
  return type === 3 ? 'RAW' : 'OTHER';
}

export function* allPeers(socket: BoundSocket): Generator<PeerHalf, void> {
  for (const first of socket.peers?.values() ?? []) {
    for (let half: PeerHalf | null = first; half !== null; half = half.nextPeer) yield half;
  }
}

export function findPeer(socket: BoundSocket, address: string, port: number): PeerHalf | null {
  let half = socket.peers?.get(peerHash(address, port)) ?? null;
  while (half !== null && (half.peerPort !== port || half.peerAddress !== address)) half = half.nextPeer;
  return half;
}

/** The half for a peer; a new one has no flow yet. */
export function peerOf(socket: BoundSocket, address: string, port: number): PeerHalf {
  const known = findPeer(socket, address, port);
  if (known !== null) return known;
  const half = new PeerHalf(socket, address, port);
  half.resumes = socket.forgotHalves;
  socket.peers ??= new Map();
  const hash = peerHash(address, port);
  half.nextPeer = socket.peers.get(hash) ?? null;
  socket.peers.set(hash, half);
  return half;
}

function forgetPeer(half: PeerHalf): void {
  const { socket } = half;
  socket.forgotHalves = true;
  const hash = peerHash(half.peerAddress, half.peerPort);
  const first = socket.peers?.get(hash);
  if (first === half) {
    if (half.nextPeer === null) socket.peers?.delete(hash);
    else socket.peers?.set(hash, half.nextPeer);
    return;
  }
  let before = first;
  while (before !== undefined && before.nextPeer !== half) before = before.nextPeer ?? undefined;
  if (before !== undefined) before.nextPeer = half.nextPeer;
}

function peerHash(address: string, port: number): number {
  return hashTuple(0, 0, port, address);
}

/** What is known when a half's flow begins. */
export interface PeerOpening {
  readonly firstNs: number;
  readonly firstReceived: boolean;
  readonly localAddress: string | null;
}

/** Gives the half a flow. False when the flow table is full. */
export function openPeer(tables: Tables, half: PeerHalf, opening: PeerOpening): boolean {
  const { socket } = half;
  const { clock } = tables;
  const isPacket = socket.protocolNumber === PACKET;
  const ipVersion = isPacket ? null : versionOf(half);
  const local = {
    address: localAddressOf(half, opening.localAddress, ipVersion),
    port: portOf(socket, socket.localPort),
  };
  const peerUnknown = !isPacket && isUnspecifiedText(half.peerAddress);
  const remote = { address: half.peerAddress, port: peerUnknown ? null : portOf(socket, half.peerPort) };
  // A conversation that was older would have been heard of within the idle timeout, or be another one by now.
  const mayBeOlder =
    (socket.flags & SOCKET_FLAG.seeded) !== 0 &&
    !half.resumes &&
    opening.firstNs - clock.firstNs < tables.rules.idleTimeoutMs * 1e6;
  const role: Role = mayBeOlder
    ? guessRole(tables, socket.namespace, socket.protocolNumber, local, remote)
    : { isClient: !opening.firstReceived, evidence: ROLE_EVIDENCE.seen };
  const protocol = protocolOf(socket.protocolNumber, socket.family, socket.type);
  const id = idOf(tables, half, opening.firstNs, isPacket);
  if (
    !attach(tables, half, { protocol, ipVersion, local, remote, role, startMicros: clock.micros(opening.firstNs), id })
  ) {
    return false;
  }
  const { flow, endpoint } = half;
  if (flow === null || endpoint === null) return false;
  half.firstNs = opening.firstNs;
  half.moverNs = 0;
  if (flow.state === 'OPENING') flow.state = 'OPEN';
  if (mayBeOlder) {
    flow.startedBefore = true;
    flow.noteBits |= NOTE.countersSinceAgentStart | NOTE.startTimeUnknown;
  }
  if (peerUnknown) flow.noteBits |= NOTE.peerUnknown;
  endpoint.shares = visibleShares(half);
  for (const share of endpoint.shares) share.process.flows.add(flow);
  setCreator(flow, endpoint, socket.creator);
  proposeOwner(tables, half, socket.owner, socket.ownerRank);
  tables.idle.watch(half, flow.lastMicros + tables.rules.idleTimeoutMs * 1000);
  return true;
}

/** The first flow with a peer is named after both; a later one on the same socket also after its time. */
function idOf(tables: Tables, half: PeerHalf, firstNs: number, isPacket: boolean): string {
  const address = isPacket ? '::' : half.peerAddress;
  if (!half.resumes) {
    const id = tables.ids.datagramFlow(half.cookie, address, half.peerPort, 0);
    if (tables.flows.get(id) === undefined) return id;
  }
  return tables.ids.datagramFlow(half.cookie, address, half.peerPort, firstNs);
}

function versionOf(half: PeerHalf): 4 | 6 {
  if (isUnspecifiedText(half.peerAddress)) return half.socket.family === AF_INET ? 4 : 6;
  return half.peerAddress.includes(':') ? 6 : 4;
}

function localAddressOf(half: PeerHalf, routed: string | null, ipVersion: 4 | 6 | null): string {
  const { socket } = half;
  if (ipVersion === null) return socket.namespace.interfaces.get(socket.interfaceIndex) ?? 'any';
  if (socket.localAddress !== '' && !isUnspecifiedText(socket.localAddress)) return socket.localAddress;
  return routed ?? (ipVersion === 4 ? '0.0.0.0' : '::');
}

/** The port under which peers know a socket: 0 where the protocol has none (a raw socket keeps its protocol there). */
export function keptPort(socket: BoundSocket): number {
  return portOf(socket, socket.localPort) ?? 0;
}

function portOf(socket: BoundSocket, port: number): number | null {
  return WITH_PORTS.has(socket.protocolNumber) ? port : null;
}

export function datagramShareOf(half: PeerHalf, process: Process): DatagramShare {
  const known = half.shares.find((share) => share.process === process);
  if (known !== undefined) return known;
  const share = new DatagramShare(process);
  half.shares.push(share);
  if (half.endpoint !== null && half.flow !== null) {
    half.endpoint.shares = visibleShares(half);
    if (process !== NOBODY) process.flows.add(half.flow);
  }
  return share;
}

function visibleShares(half: PeerHalf): readonly DatagramShare[] {
  return half.shares.filter((share) => share.process !== NOBODY);
}

/** The half's flow has ended, and its socket has not: a later message begins another flow, counted from here. */
export function sleep(tables: Tables, half: PeerHalf): void {
  unindex(tables, half);
  tables.idle.forget(half);
  half.flow = null;
  half.endpoint = null;
  half.mate = null;
  half.mateEndReason = null;
  half.ownerRank = 0;
  half.resumes = true;
  half.shares = half.shares.map(restarted).filter((share) => share !== null);
  half.wire = half.wire?.ended === false ? half.wire : null;
  half.wire?.endFlow();
  forgetUnused(half);
}

/** A share that begins at nothing while the kernel's counters go on; null when those ended, too. */
function restarted(share: DatagramShare): DatagramShare | null {
  const base = share.base ?? NO_BASE;
  const next = new Counters();
  next.sentBytes = base.sentBytes - share.sentPayloadBytes;
  next.sentMessages = base.sentMessages - share.sentMessages;
  next.sentOctets = base.sentOctets - share.sentOctets;
  next.sentPackets = base.sentPackets - share.sentPackets;
  next.receivedBytes = base.receivedBytes - share.receivedPayloadBytes;
  next.receivedMessages = base.receivedMessages - share.receivedMessages;
  next.receivedOctets = base.receivedOctets - share.receivedOctets;
  next.receivedPackets = base.receivedPackets - share.receivedPackets;
  if (next.sentMessages === 0 && next.receivedMessages === 0 && next.sentBytes === 0 && next.receivedBytes === 0)
    return null;
  const fresh = new DatagramShare(share.process);
  fresh.base = next;
  return fresh;
}

const NO_BASE = new Counters();

/** A share whose kernel counters have ended while it had no flow. */
export function dropShare(half: PeerHalf, share: DatagramShare): void {
  half.shares = half.shares.filter((other) => other !== share);
  forgetUnused(half);
}

/** A half that counts nothing any more. */
function forgetUnused(half: PeerHalf): void {
  if (half.shares.length === 0 && half.wire === null) forgetPeer(half);
}
