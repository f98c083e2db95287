/** Rules for sockets that are not connected TCP: listeners, UDP, ICMP, raw, packet. Their traffic rows make the flows. */
import type { Batch } from '../capture/batch.js';
import { SOCKET_FLAG, SOCKET_KIND, TRAFFIC_FLAG } from '../capture/layout.js';
import { nameLocal } from './attach.js';
import { BoundSocket, Counters, OWNER_RANK, PACKET, small, type DatagramShare, type PeerHalf } from './halves.js';
import type { Flow } from './model.js';
import type { Movements } from './movements.js';
import { NOTE, OwnerFacts, proposeBoundOwner, proposeOwner, setCreator } from './owners.js';
import { allPeers, datagramShareOf, dropShare, findPeer, NOBODY, openPeer, peerOf } from './peers.js';
import type { Tables } from './tables.js';
import { addressOrNull, type TrafficRow } from './traffic-row.js';
import { otherEnd } from './tuples.js';
import { receivedFromUnknown } from './unknown-peers.js';
import { showWire } from './wire-peers.js';

const TCP = 6;
const CONNECTED = 1;

const owners = new OwnerFacts();

/** Applies a row of a socket that is no connected TCP socket, except for its end. */
export function applyBoundRow(tables: Tables, batch: Batch, row: number, known: BoundSocket | undefined): void {
  const table = batch.socket;
  const kind = table.kind[row] as number;
  const socket = known ?? add(tables, batch, row, kind);
  if (socket === null) return;
  owners.read(tables, batch, row, known === undefined, false);
  const flags = table.flags[row] as number;
  socket.flags = flags;
  socket.family = table.family[row] as number;
  socket.type = table.type[row] as number;
  socket.localAddress = tables.texts.at(table.localAddress, row);
  socket.localPort = table.localPort[row] as number;
  socket.interfaceIndex = table.interfaceIndex[row] as number;
  socket.remoteAddress = addressOrNull(table.remoteAddress, row, tables.texts);
  socket.remotePort = table.remotePort[row] as number;
  socket.creator ??= owners.creator;
  if ((flags & SOCKET_FLAG.listener) !== 0 && kind !== SOCKET_KIND.ended) tables.listeners.add(socket);
  if (proposeBoundOwner(socket, owners.best, owners.rank)) tellPeers(tables, socket);
  if ((flags & SOCKET_FLAG.lostEvents) !== 0) {
    for (const half of allPeers(socket)) if (half.flow !== null) half.flow.noteBits |= NOTE.eventsLost;
  }
  if (socket.protocolNumber !== TCP) showUncounted(tables, batch, row, socket);
  if (kind === SOCKET_KIND.ended) tables.endings.push({ socket, row });
}

function add(tables: Tables, batch: Batch, row: number, kind: number): BoundSocket | null {
  const table = batch.socket;
  const cookie = table.cookie[row] as number;
  if (tables.endedCookies.has(cookie) && kind !== SOCKET_KIND.opened) return null;
  const protocol = table.protocol[row] as number;
  // A TCP socket that is not connected is nothing yet, or nothing any more.
  if (protocol === TCP && ((table.flags[row] as number) & SOCKET_FLAG.listener) === 0) return null;
  const socket = new BoundSocket(cookie, protocol, tables.namespaces.get(table.netns[row] as number));
  tables.sockets.set(socket);
  return socket;
}

/** Halves that nobody moved bytes on share the socket's owner. */
function tellPeers(tables: Tables, socket: BoundSocket): void {
  for (const half of allPeers(socket)) {
    proposeOwner(tables, half, socket.owner, Math.min(socket.ownerRank, OWNER_RANK.closer));
    if (half.flow !== null && half.endpoint !== null) setCreator(half.flow, half.endpoint, socket.creator);
  }
}

/** A connected socket whose messages nobody counts is shown by its row alone: it exists, its counters are not known. */
function showUncounted(tables: Tables, batch: Batch, row: number, socket: BoundSocket): void {
  const table = batch.socket;
  if ((socket.flags & SOCKET_FLAG.messagesCounted) !== 0 || socket.remoteAddress === null) return;
  if (table.state[row] !== CONNECTED) return;
  const lastNs = table.lastNs[row] as number;
  const known = findPeer(socket, socket.remoteAddress, socket.remotePort);
  if (known !== null && known.flow !== null) {
    if (lastNs === 0) return;
    const lastMicros = tables.clock.micros(lastNs);
    if (lastMicros <= known.flow.lastMicros) return;
    known.flow.lastMicros = lastMicros;
    tables.touch(known);
    return;
  }
  if (socket.shown) return;
  const half = peerOf(socket, socket.remoteAddress, socket.remotePort);
  const timeNs = table.timeNs[row] as number;
  const firstNs = (table.firstNs[row] as number) || Math.min(timeNs, tables.clock.firstNs || timeNs);
  if (!openPeer(tables, half, { firstNs, firstReceived: false, localAddress: null })) return;
  socket.shown = true;
  if (half.flow === null) return;
  half.flow.noteBits |= NOTE.octetsUnknown;
  if ((socket.flags & SOCKET_FLAG.seeded) === 0) half.flow.noteBits |= NOTE.messagesTierOff;
  // Nobody tells when it was used last, so silence cannot be told either.
  if (lastNs === 0) tables.idle.forget(half);
}

/** Applies what one process moved on a socket, with one peer. */
export function applyBoundTraffic(tables: Tables, socket: BoundSocket, row: TrafficRow): void {
  if ((row.flags & TRAFFIC_FLAG.peerUnknown) !== 0 && socket.remoteAddress === null) {
    if (row.receivedMessages > 0) receivedFromUnknown(tables, socket, row);
    if (row.sentMessages === 0) return;
    // What was sent to nobody known is a flow of its own; what was received is given elsewhere.
    row.receivedBytes = row.receivedMessages = row.receivedOctets = row.receivedPackets = 0;
  }
  const peer = peerAddressOf(socket, row);
  const half = peerOf(socket, peer.address, peer.port);
  applyPeerTraffic(tables, half, row);
}

function peerAddressOf(socket: BoundSocket, row: TrafficRow): { address: string; port: number } {
  if (socket.protocolNumber === PACKET) return { address: 'any', port: 0 };
  if (row.peerAddress !== null) return { address: row.peerAddress, port: row.peerPort };
  if (socket.remoteAddress !== null) return { address: socket.remoteAddress, port: socket.remotePort };
  return { address: socket.family === 2 ? '0.0.0.0' : '::', port: 0 };
}

function applyPeerTraffic(tables: Tables, half: PeerHalf, row: TrafficRow): void {
  // Counters of a process that is long gone may still be told of: its share knows it.
  const known = half.shares.find((each) => each.process.pid === row.pid && each.process.startNs === row.startNs);
  const process = row.pid === 0 ? null : (known?.process ?? tables.processes.reference(row.pid, row.startNs));
  if (known === undefined && process !== null) tables.processes.ranAs(process, row.uid);
  const share = known ?? datagramShareOf(half, process ?? NOBODY);
  if (share.ended || wentBack(share, row)) share.rebase();
  const advanced = hasAdvanced(share, row);
  if (advanced && half.flow === null) {
    const firstNs = half.resumes ? row.lastNs || row.timeNs : row.firstNs || row.lastNs || row.timeNs;
    const firstReceived = (row.flags & TRAFFIC_FLAG.firstReceived) !== 0;
    openPeer(tables, half, { firstNs, firstReceived, localAddress: row.localAddress });
  } else if (advanced) tables.targets.update(half);
  const { flow, endpoint } = half;
  if (flow !== null && endpoint !== null && advanced) {
    put(share, row);
    tables.usage.moved(half, share);
    if ((row.flags & TRAFFIC_FLAG.derived) !== 0) half.derived = true;
    flow.noteBits &= ~(NOTE.octetsUnknown | NOTE.messagesTierOff);
    flow.lastMicros = Math.max(flow.lastMicros, tables.clock.micros(row.lastNs));
    if (process !== null && row.lastNs >= half.moverNs) {
      half.moverNs = row.lastNs;
      proposeOwner(tables, half, process, OWNER_RANK.mover);
    }
    if (row.firstNs !== 0 && row.firstNs < half.firstNs) seenEarlier(tables, half, flow, row);
    tables.touch(half);
  }
  if (flow !== null && endpoint !== null && row.localAddress !== null) {
    if (nameLocal(flow, endpoint, row.localAddress)) tables.touch(half);
  }
  if ((row.flags & TRAFFIC_FLAG.final) === 0) return;
  if (half.flow === null) dropShare(half, share);
  else share.ended = true;
}

/** A row of another process shows that the conversation began earlier, maybe by the other side. */
function seenEarlier(tables: Tables, half: PeerHalf, flow: Flow, row: TrafficRow): void {
  if (half.resumes) return;
  half.firstNs = row.firstNs;
  flow.startMicros = Math.min(flow.startMicros, tables.clock.micros(row.firstNs));
  const isClient = (row.flags & TRAFFIC_FLAG.firstReceived) === 0;
  const mayTurn = flow.revision === 0 && half.mate === null && !flow.startedBefore;
  if (mayTurn && isClient !== (flow.client === half.endpoint)) [flow.client, flow.server] = [flow.server, flow.client];
}

/** Counters below what was seen: their end was lost, and they began at zero again. */
function wentBack(share: DatagramShare, row: TrafficRow): boolean {
  const { base } = share;
  return (
    row.sentMessages + (base?.sentMessages ?? 0) < share.sentMessages ||
    row.receivedMessages + (base?.receivedMessages ?? 0) < share.receivedMessages ||
    row.sentBytes + (base?.sentBytes ?? 0) < share.sentPayloadBytes ||
    row.receivedBytes + (base?.receivedBytes ?? 0) < share.receivedPayloadBytes
  );
}

function hasAdvanced(share: DatagramShare, row: TrafficRow): boolean {
  const { base } = share;
  return (
    row.sentMessages + (base?.sentMessages ?? 0) > share.sentMessages ||
    row.receivedMessages + (base?.receivedMessages ?? 0) > share.receivedMessages ||
    row.sentBytes + (base?.sentBytes ?? 0) > share.sentPayloadBytes ||
    row.receivedBytes + (base?.receivedBytes ?? 0) > share.receivedPayloadBytes
  );
}

function put(share: DatagramShare, row: TrafficRow): void {
  const { base } = share;
  share.sentPayloadBytes = small(row.sentBytes + (base?.sentBytes ?? 0));
  share.sentMessages = small(row.sentMessages + (base?.sentMessages ?? 0));
  share.sentOctets = small(row.sentOctets + (base?.sentOctets ?? 0));
  share.sentPackets = small(row.sentPackets + (base?.sentPackets ?? 0));
  share.receivedPayloadBytes = small(row.receivedBytes + (base?.receivedBytes ?? 0));
  share.receivedMessages = small(row.receivedMessages + (base?.receivedMessages ?? 0));
  share.receivedOctets = small(row.receivedOctets + (base?.receivedOctets ?? 0));
  share.receivedPackets = small(row.receivedPackets + (base?.receivedPackets ?? 0));
}

/** Completes a half at the end of a batch: its traffic is the sum of its processes', or what passed on the wire. */
export function completePeer({ movements }: Tables, half: PeerHalf): void {
  if (half.shares.length > 0) sumShares(movements, half);
  showWire(half);
}

function sumShares(movements: Movements, half: PeerHalf): void {
  const { flow, endpoint } = half;
  if (flow === null || endpoint === null) return;
  const total = new Counters();
  for (const share of half.shares) {
    total.sentOctets += share.sentOctets;
    total.sentPackets += share.sentPackets;
    total.receivedOctets += share.receivedOctets;
    total.receivedPackets += share.receivedPackets;
    total.sentBytes += share.sentPayloadBytes;
    total.sentMessages += share.sentMessages;
    total.receivedBytes += share.receivedPayloadBytes;
    total.receivedMessages += share.receivedMessages;
  }
  // Frames of packet sockets need not have IP in them.
  const hasIp = half.protocolNumber !== PACKET;
  if (!hasIp) flow.noteBits |= NOTE.octetsUnknown;
  const { sent } = endpoint;
  movements.count(flow, endpoint, hasIp ? total.sentOctets : null, total.sentPackets);
  sent.payloadBytes = total.sentBytes;
  sent.messages = total.sentMessages;
  sent.octetsDerived = half.derived;
  if (half.mate !== null || half.mateEndReason !== null) return;
  const across = otherEnd(flow, endpoint);
  movements.count(flow, across, hasIp ? total.receivedOctets : null, total.receivedPackets);
  const received = across.sent;
  received.payloadBytes = total.receivedBytes;
  received.messages = total.receivedMessages;
  received.octetsDerived = half.derived;
}
