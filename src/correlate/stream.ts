/** Rules for TCP: a connected socket is a half of a flow, and the kernel counts it. */
import type { Batch } from '../capture/batch.js';
import { SOCKET_FLAG, SOCKET_KIND, TRAFFIC_FLAG } from '../capture/layout.js';
import { attach, guessRole, Opening } from './attach.js';
import { finishStream } from './ends.js';
import { HALF_FLAG, OWNER_RANK, ROLE_EVIDENCE, small, StreamSocket } from './halves.js';
import type { Endpoint, Flow, FlowState } from './model.js';
import { markMover, NOTE, OwnerFacts, ownerFromListener, proposeOwner, setCreator } from './owners.js';
import { shareOf, ShareSums } from './shares.js';
import type { Tables } from './tables.js';
import { ALL_TCP_FLAGS } from './tcp-flags.js';
import { ipVersionOf, type TrafficRow } from './traffic-row.js';
import { otherEnd } from './tuples.js';

const ESTABLISHED = 1;
const SYN_SENT = 2;
const SYN_RECV = 3;
const CLOSE = 7;
const LISTEN = 10;
const NEW_SYN_RECV = 12;
/** What a SYN has more in its options than a data segment's timestamp: MSS, SACK permitted, window scale. */
const SYN_OPTION_BYTES = 8;
const MIN_HEADER_BYTES = 20;

/** Read for one row at a time. */
const owners = new OwnerFacts();
const opening = new Opening();
const shareSums = new ShareSums();

/** Applies a row of a connected TCP socket, except for its end. */
export function applyStreamRow(tables: Tables, batch: Batch, row: number, known: StreamSocket | undefined): void {
  const table = batch.socket;
  const kind = table.kind[row] as number;
  let socket = known;
  if (socket?.has(HALF_FLAG.ending) === true && kind === SOCKET_KIND.opened) {
    // Tried again within one batch: the first try has ended here.
    finishStreamNow(tables, batch, socket);
    socket = undefined;
  }
  owners.read(tables, batch, row, socket === undefined, true);
  if (socket === undefined) {
    const cookie = small(table.cookie[row] as number);
    if (!mayBegin(tables, batch, row, cookie, kind)) return;
    socket = new StreamSocket(cookie, tables.namespaces.get(table.netns[row] as number));
    tables.sockets.set(socket);
  }
  // At its end the kernel may have cleared the addresses.
  if (socket.flow === null && table.remotePort[row] !== 0) openStream(tables, batch, row, socket);
  if (socket.flow !== null) absorb(tables, batch, row, socket);
  if (kind === SOCKET_KIND.ended) {
    socket.flags |= HALF_FLAG.ending;
    tables.endings.push({ socket, row });
  }
}

function finishStreamNow(tables: Tables, batch: Batch, socket: StreamSocket): void {
  const index = tables.endings.findLastIndex((ending) => ending.socket === socket);
  const ending = tables.endings[index];
  if (ending === undefined) return;
  tables.endings.splice(index, 1);
  finishStream(tables, batch, ending.row, socket);
}

/** Whether a row of a socket that is not known begins a life, or tells of one that is over. */
function mayBegin(tables: Tables, batch: Batch, row: number, cookie: number, kind: number): boolean {
  if (kind === SOCKET_KIND.opened) return true;
  if (tables.endedCookies.has(cookie)) return false;
  return kind === SOCKET_KIND.ended || batch.socket.state[row] !== CLOSE;
}

function openStream(tables: Tables, batch: Batch, row: number, socket: StreamSocket): void {
  const table = batch.socket;
  const { clock } = tables;
  const seeded = ((table.flags[row] as number) & SOCKET_FLAG.seeded) !== 0;
  const firstNs = table.firstNs[row] as number;
  const timeNs = table.timeNs[row] as number;
  opening.protocol = 'TCP';
  opening.ipVersion = ipVersionOf(table.family[row] as number, table.localAddress, table.remoteAddress, row);
  opening.local.address = tables.texts.at(table.localAddress, row);
  opening.local.port = table.localPort[row] as number;
  opening.remote.address = tables.texts.at(table.remoteAddress, row);
  opening.remote.port = table.remotePort[row] as number;
  // A connection from before the agent started no later than the agent did.
  opening.startNs = firstNs || (seeded ? Math.min(clock.firstNs, timeNs) : timeNs);
  opening.salt = firstNs || timeNs;
  findRole(tables, batch, row, socket);
  if (!attach(tables, socket, opening) || socket.flow === null) return;
  socket.flow.startedBefore ||= seeded;
  if (firstNs === 0) socket.flow.noteBits |= NOTE.startTimeUnknown;
  socket.flow.noteBits |= NOTE.tcpFlagsTierOff;
}

function findRole(tables: Tables, batch: Batch, row: number, socket: StreamSocket): void {
  const table = batch.socket;
  const flags = table.flags[row] as number;
  const isPassive = (flags & SOCKET_FLAG.passive) !== 0;
  const connects = owners.opener !== null || table.state[row] === SYN_SENT || table.fromState[row] === SYN_SENT;
  if (isPassive || connects || (table.kind[row] === SOCKET_KIND.opened && (flags & SOCKET_FLAG.seeded) === 0)) {
    opening.isClient = !isPassive;
    opening.evidence = ROLE_EVIDENCE.seen;
  } else guessRole(tables, socket.namespace, socket.protocolNumber, opening);
}

/** Takes over owners, counters, times and the state. */
function absorb(tables: Tables, batch: Batch, row: number, socket: StreamSocket): void {
  const { flow, endpoint } = socket;
  if (flow === null || endpoint === null) return;
  const table = batch.socket;
  const flags = table.flags[row] as number;
  setCreator(flow, endpoint, owners.creator);
  proposeOwner(tables, socket, owners.best, owners.rank);
  markMover(socket, owners);
  const isServer = flow.server === endpoint;
  if (isServer) ownerFromListener(tables, socket, endpoint.port ?? 0);
  const receiver = owners.closer ?? owners.mover ?? owners.holder;
  if (receiver !== null) socket.receiver = receiver;

  const lost = (flags & SOCKET_FLAG.lostEvents) !== 0;
  if (lost) flow.noteBits |= NOTE.eventsLost;
  const isShed = (flow.noteBits & NOTE.messagesTierShed) !== 0;
  if ((flags & SOCKET_FLAG.messagesCounted) !== 0 && !lost && !isShed) socket.flags |= HALF_FLAG.counted;
  else {
    // Of messages nobody else knows.
    if (socket.has(HALF_FLAG.counted)) endpoint.sent.messages = null;
    socket.flags &= ~HALF_FLAG.counted;
    if ((flags & SOCKET_FLAG.seeded) === 0 && !lost && !isShed) flow.noteBits |= tables.tiers.uncountedNote;
  }
  if ((flags & SOCKET_FLAG.tcpFlags) !== 0) takeTcpFlags(batch, row, flow, endpoint);

  const lastNs = table.lastNs[row] as number;
  if (lastNs !== 0) flow.lastMicros = Math.max(flow.lastMicros, tables.clock.micros(lastNs));
  const state = table.state[row] as number;
  if (state !== socket.tcpState) {
    socket.tcpState = state;
    tables.touch(socket);
  }
  if (wasEstablished(state) || wasEstablished(table.fromState[row] as number)) socket.flags |= HALF_FLAG.established;
  if ((flags & SOCKET_FLAG.hasTcp) !== 0) count(tables, batch, row, socket);
  else if (endpoint.sent.octets === null) flow.noteBits |= NOTE.octetsUnknown;
}

/** What each end has set in its packets: of two local ends both have seen both ways, and one that saw all is enough. */
function takeTcpFlags(batch: Batch, row: number, flow: Flow, endpoint: Endpoint): void {
  const table = batch.socket;
  const across = otherEnd(flow, endpoint).sent;
  const seen = ((table.flags[row] as number) & SOCKET_FLAG.tcpFlagsPart) === 0 ? ALL_TCP_FLAGS : 0;
  endpoint.sent.tcpFlagBits = Math.max(0, endpoint.sent.tcpFlagBits) | (table.sentTcpFlags[row] as number) | seen;
  across.tcpFlagBits = Math.max(0, across.tcpFlagBits) | (table.receivedTcpFlags[row] as number) | seen;
  flow.noteBits &= ~(NOTE.tcpFlagsTierOff | NOTE.tcpFlagsPartial);
  if ((across.tcpFlagBits & ALL_TCP_FLAGS) === 0) flow.noteBits |= NOTE.tcpFlagsPartial;
}

/** The kernel's counters: exact payload, and octets by the size of the headers. */
function count(tables: Tables, batch: Batch, row: number, socket: StreamSocket): void {
  const { flow, endpoint, mate } = socket;
  if (flow === null || endpoint === null) return;
  const table = batch.socket;
  const header = (flow.ipVersion === 6 ? 40 : 20) + ((table.headerBytes[row] as number) || MIN_HEADER_BYTES);
  const segmentsOut = small(table.segmentsOut[row] as number);
  const bytesSent = small(table.bytesSent[row] as number);
  const bytesReceived = small(table.bytesReceived[row] as number);
  const given = small(bytesSent - (table.bytesRetransmitted[row] as number) + (table.unsentBytes[row] as number));
  const taken = small(bytesReceived - (table.unreadBytes[row] as number));
  flow.noteBits &= ~NOTE.octetsUnknown;

  const sent = endpoint.sent;
  const segmentsIn = small(table.segmentsIn[row] as number);
  const across = mate === null && socket.mateEndReason === null ? otherEnd(flow, endpoint) : null;
  const received = across?.sent ?? null;
  const changed =
    sent.packets !== segmentsOut ||
    (!isCounted(socket) && sent.payloadBytes !== given) ||
    socket.takenBytes !== taken ||
    (received !== null && (received.packets !== segmentsIn || received.payloadBytes !== bytesReceived));
  if (changed) tables.touch(socket);
  socket.takenBytes = taken;
  // Replaced by what the processes moved, where that is known.
  if (!isCounted(socket) || sent.payloadBytes === null) sent.payloadBytes = given;
  tables.movements.count(flow, endpoint, octetsOf(bytesSent, segmentsOut, header), segmentsOut);
  sent.retransmittedPackets = small(table.retransmits[row] as number);
  sent.octetsDerived = true;
  if (across !== null && received !== null) {
    tables.movements.count(flow, across, octetsOf(bytesReceived, segmentsIn, header), segmentsIn);
    received.payloadBytes = bytesReceived;
    received.octetsDerived = true;
  }
  // Of two local ends the client's view counts: it is the one that waits for the other.
  if (flow.client !== endpoint && mate !== null) return;
  const rtt = table.rttUs[row] as number;
  if (rtt !== 0) flow.rttMicros = rtt;
  const minRtt = table.minRttUs[row] as number;
  if (minRtt !== 0 && minRtt !== 0xffffffff) flow.minRttMicros = minRtt;
}

/** Whether the messages tier has all of it. */
function isCounted(socket: StreamSocket): boolean {
  return socket.has(HALF_FLAG.counted) && !socket.has(HALF_FLAG.anonymous);
}

function octetsOf(payload: number, segments: number, header: number): number {
  return payload + segments * header + (segments > 0 ? SYN_OPTION_BYTES : 0);
}

/** Applies what one process moved on a connection. */
export function applyStreamTraffic(tables: Tables, socket: StreamSocket, row: TrafficRow): void {
  const { flow, endpoint } = socket;
  if (flow === null || endpoint === null) return;
  const process = tables.processes.reference(row.pid, row.startNs);
  if (process === null) {
    // Nobody to give it to: the kernel's counters still have it.
    socket.flags |= HALF_FLAG.anonymous;
    return;
  }
  if (endpoint.shareOf(process)?.hasMoved !== true) tables.processes.ranAs(process, row.uid);
  const share = shareOf(flow, endpoint, process);
  const spliced = socket.spliced?.share === share ? socket.spliced.bytes : 0;
  if (share.ended) share.rebase().receivedBytes -= spliced;
  const { base } = share;
  const sentBytes = small(row.sentBytes + (base?.sentBytes ?? 0));
  const receivedBytes = small(row.receivedBytes + (base?.receivedBytes ?? 0));
  const sentMessages = small(row.sentMessages + (base?.sentMessages ?? 0));
  const receivedMessages = small(row.receivedMessages + (base?.receivedMessages ?? 0));
  if (
    share.sentPayloadBytes !== sentBytes ||
    share.receivedPayloadBytes - spliced !== receivedBytes ||
    share.sentMessages !== sentMessages ||
    share.receivedMessages !== receivedMessages
  ) {
    share.sentPayloadBytes = sentBytes;
    share.receivedPayloadBytes = receivedBytes + spliced;
    share.sentMessages = sentMessages;
    share.receivedMessages = receivedMessages;
    tables.touch(socket);
  }
  share.ended = (row.flags & TRAFFIC_FLAG.final) !== 0;
  const lastMicros = tables.clock.micros(row.lastNs);
  if (!socket.has(HALF_FLAG.moverKnown) && (socket.ownerRank < OWNER_RANK.mover || lastMicros >= flow.lastMicros)) {
    proposeOwner(tables, socket, process, OWNER_RANK.mover);
    flow.lastMicros = Math.max(flow.lastMicros, lastMicros);
  }
}

/** Completes a half at the end of a batch, when all of its rows were applied. */
export function completeStream(socket: StreamSocket): void {
  const { flow, endpoint } = socket;
  if (flow === null || endpoint === null) return;
  const sums = shareSums.over(endpoint);
  if (isCounted(socket)) {
    endpoint.sent.payloadBytes = sums.sentBytes;
    endpoint.sent.messages = sums.sentMessages;
    attributeSplice(socket, sums.receivedBytes - (socket.spliced?.bytes ?? 0));
  }
  if (flow.state !== 'ENDED') flow.state = stateOf(socket);
}

/** splice(2) takes bytes unseen: what the kernel counts more than all processes took is the last owner's. */
function attributeSplice(socket: StreamSocket, seenBytes: number): void {
  const { flow, endpoint, spliced, receiver } = socket;
  if (flow === null || endpoint === null) return;
  const bytes = Math.max(0, socket.takenBytes - seenBytes);
  if (spliced !== null) {
    if (spliced.bytes === bytes && spliced.share.process === receiver) return;
    spliced.share.receivedPayloadBytes -= spliced.bytes;
    socket.spliced = null;
  }
  const owner = receiver ?? endpoint.process;
  if (bytes === 0 || owner === null) return;
  const share = shareOf(flow, endpoint, owner);
  share.receivedPayloadBytes += bytes;
  socket.spliced = { share, bytes };
}

function stateOf(socket: StreamSocket): FlowState {
  const state = socket.tcpState;
  const mateState = socket.mate instanceof StreamSocket ? socket.mate.tcpState : state;
  const hasEnded = socket.mateEndReason !== null || socket.has(HALF_FLAG.ended);
  if (hasEnded || isClosing(state) || isClosing(mateState)) return 'CLOSING';
  return state === ESTABLISHED || mateState === ESTABLISHED ? 'OPEN' : 'OPENING';
}

function isClosing(state: number): boolean {
  return state > SYN_RECV && state !== NEW_SYN_RECV && state !== LISTEN;
}

function wasEstablished(state: number): boolean {
  return state === ESTABLISHED || (isClosing(state) && state !== CLOSE);
}
