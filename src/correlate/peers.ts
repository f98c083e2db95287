/** The halves of sockets that are not TCP: one for each peer. */
import { isUnspecifiedText } from '../capture/address.js';
import { SOCKET_FLAG } from '../capture/layout.js';
import { attach, guessRole, Opening, unindex } from './attach.js';
import { Counters, DatagramShare, PACKET, PeerHalf, ROLE_EVIDENCE, type BoundSocket } from './halves.js';
import { Process, type Protocol } from './model.js';
import { enlist, NOTE, proposeOwner, setCreator, unlist } from './owners.js';
import type { Tables } from './tables.js';
import { hashTuple } from './hash-index.js';

const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

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

const opening = new Opening();

/** What is known when a half's flow begins. */
export interface PeerOpening {
  readonly firstNs: number;
  readonly firstReceived: boolean;
  readonly localAddress: string | null;
}

/** Gives the half a flow. False when the flow table is full. */
export function openPeer(
  tables: Tables,
  half: PeerHalf,
  { firstNs, firstReceived, localAddress }: PeerOpening,
): boolean {
  const { socket } = half;
  const isPacket = socket.protocolNumber === PACKET;
  const peerUnknown = !isPacket && isUnspecifiedText(half.peerAddress) && half.peerPort === 0;
  opening.protocol = protocolOf(socket.protocolNumber, socket.family, socket.type);
  opening.ipVersion = isPacket ? null : versionOf(half);
  opening.local.address = localAddressOf(half, localAddress, opening.ipVersion);
  opening.local.port = portOf(socket, socket.localPort);
  opening.remote.address = half.peerAddress;
  opening.remote.port = peerUnknown ? null : portOf(socket, half.peerPort);
  opening.startNs = firstNs;
  opening.salt = firstNs;
  // A conversation that was older would have been heard of within the idle timeout, or be another one by now.
  const mayBeOlder =
    (socket.flags & SOCKET_FLAG.seeded) !== 0 &&
    !half.resumes &&
    firstNs - tables.clock.firstNs < tables.rules.idleTimeoutMs * 1e6;
  if (mayBeOlder) guessRole(tables, socket.namespace, socket.protocolNumber, opening);
  else {
    opening.isClient = !firstReceived;
    opening.evidence = ROLE_EVIDENCE.seen;
  }
  if (!attach(tables, half, opening)) return false;
  const { flow, endpoint } = half;
  if (flow === null || endpoint === null) return false;
  half.firstNs = firstNs;
  half.moverNs = 0;
  if (flow.state === 'OPENING') flow.state = 'OPEN';
  if (mayBeOlder) {
    flow.startedBefore = true;
    flow.noteBits |= NOTE.countersSinceAgentStart | NOTE.startTimeUnknown;
  }
  if (peerUnknown) flow.noteBits |= NOTE.peerUnknown;
  const shares = visibleShares(half);
  for (const share of shares) enlist(flow, share.process);
  // Those of another socket that had this end before.
  const previous = endpoint.shares;
  endpoint.shares = shares;
  for (const share of previous) unlist(tables, flow, share.process);
  setCreator(flow, endpoint, socket.creator);
  proposeOwner(tables, half, socket.owner, socket.ownerRank);
  tables.idle.watch(half, flow.lastMicros + tables.rules.idleTimeoutMs * 1000);
  return true;
}

function versionOf(half: PeerHalf): 4 | 6 {
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
    if (process !== NOBODY) enlist(half.flow, process);
    half.endpoint.shares = visibleShares(half);
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
  if (share.ended) return null;
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
