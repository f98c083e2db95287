/** How flows end: by their sockets, by silence, by the agent. */
import type { Batch } from '../capture/batch.js';
import { SOCKET_FLAG } from '../capture/layout.js';
import { stopLinger, unindex } from './attach.js';
import { HALF_FLAG, OWNER_RANK, type BoundSocket, type Half, type PeerHalf, type StreamSocket } from './halves.js';
import type { FlowEndReason } from './model.js';
import { allPeers, sleep } from './peers.js';
import { proposeOwner } from './owners.js';
import type { Tables } from './tables.js';
import { mayHaveMate } from './tuples.js';

const SYN_SENT = 2;
const ERRNO = {
  pipe: 32,
  networkUnreachable: 101,
  reset: 104,
  timedOut: 110,
  refused: 111,
  hostUnreachable: 113,
} as const;

/** The more specific reason of two ends wins. */
const SPECIFICITY: readonly FlowEndReason[] = [
  'ACTIVE',
  'END_OF_FLOW',
  'IDLE',
  'FORCED',
  'ABORTED',
  'TIMED_OUT',
  'UNREACHABLE',
  'REFUSED',
  'RESET',
];

function worse(a: FlowEndReason, b: FlowEndReason | null): FlowEndReason {
  return b !== null && SPECIFICITY.indexOf(b) > SPECIFICITY.indexOf(a) ? b : a;
}

/** What became of a connection, from the row of its end. */
function streamReason(batch: Batch, row: number): FlowEndReason {
  const { socket } = batch;
  const error = socket.error[row] as number;
  if (socket.fromState[row] === SYN_SENT) {
    if (error === ERRNO.refused) return 'REFUSED';
    if (error === ERRNO.timedOut) return 'TIMED_OUT';
    if (error === ERRNO.hostUnreachable || error === ERRNO.networkUnreachable) return 'UNREACHABLE';
    if (error === 0) return 'ABORTED';
  }
  const reset =
    error === ERRNO.reset || error === ERRNO.pipe || ((socket.flags[row] as number) & SOCKET_FLAG.resetSent) !== 0;
  if (reset) return 'RESET';
  return error === ERRNO.timedOut ? 'TIMED_OUT' : 'END_OF_FLOW';
}

/** Carries out the end of a TCP socket. The flow goes on while the other end, on this host too, is open. */
export function finishStream(tables: Tables, batch: Batch, row: number, socket: StreamSocket): void {
  if (socket.has(HALF_FLAG.ended)) return;
  forgetSocket(tables, socket.cookie);
  socket.flags |= HALF_FLAG.ended;
  const { flow, mate } = socket;
  if (flow === null) return;
  tables.touch(socket);
  const reason = worse(streamReason(batch, row), socket.mateEndReason);
  const endMicros = tables.clock.micros(batch.socket.timeNs[row] as number);
  if ((batch.socket.lastNs[row] as number) === 0) flow.lastMicros = Math.max(flow.lastMicros, endMicros);
  if (mate !== null) {
    unindex(tables, socket);
    mate.mate = null;
    mate.mateEndReason = reason;
    tables.touch(mate);
    return;
  }
  const waits = socket.mateEndReason === null && socket.has(HALF_FLAG.established);
  if (waits && mayHaveMate(tables.namespaces, socket)) linger(tables, socket, reason, endMicros);
  else {
    unindex(tables, socket);
    tables.endFlow(flow, reason, endMicros);
  }
}

/** Carries out the end of any other socket, and of all flows it has. */
export function finishBound(tables: Tables, batch: Batch, row: number, socket: BoundSocket): void {
  forgetSocket(tables, socket.cookie);
  tables.listeners.remove(socket);
  tables.unresolved.delete(socket);
  tables.usage.forgetSocket(socket);
  const endMicros = tables.clock.micros(batch.socket.timeNs[row] as number);
  for (const half of allPeers(socket)) {
    if (half.flow === null) continue;
    // Whoever closed it had it last, should nobody have moved anything.
    if (socket.ownerRank === OWNER_RANK.closer) proposeOwner(tables, half, socket.owner, OWNER_RANK.closer);
    finishPeer(tables, half, endMicros);
  }
  socket.peers = null;
}

function finishPeer(tables: Tables, half: PeerHalf, endMicros: number): void {
  half.flags |= HALF_FLAG.ended;
  tables.idle.forget(half);
  const { flow, mate } = half;
  if (flow === null) return;
  tables.touch(half);
  if (half.mateEndReason === null && mayHaveMate(tables.namespaces, half)) {
    // What the other end has received may be read only with the next poll.
    if (mate !== null) {
      mate.mate = null;
      mate.mateEndReason = 'END_OF_FLOW';
    }
    linger(tables, half, 'END_OF_FLOW', endMicros);
    return;
  }
  stopLinger(tables, flow);
  unindex(tables, half);
  tables.endFlow(flow, worse('END_OF_FLOW', half.mateEndReason), endMicros);
}

function forgetSocket(tables: Tables, cookie: number): void {
  tables.sockets.delete(cookie);
  tables.endedCookies.add(cookie);
}

function linger(tables: Tables, half: Half, reason: FlowEndReason, endMicros: number): void {
  const { flow } = half;
  if (flow === null) return;
  flow.state = 'CLOSING';
  const dueNs = tables.clock.nowNs + tables.rules.mateWaitMs * 1e6;
  const entry = { half, flow, reason, endMicros, dueNs, done: false };
  tables.lingering.push(entry);
  tables.lingerOf.set(flow, entry);
}

/** Ends the flows whose other end had its time to tell. */
export function finishLingering(tables: Tables): void {
  for (let next = tables.lingering.peek(); next !== undefined; next = tables.lingering.peek()) {
    if (!next.done && next.dueNs > tables.clock.nowNs) break;
    tables.lingering.shift();
    if (next.done) continue;
    const { half, flow } = next;
    tables.lingerOf.delete(flow);
    unindex(tables, half);
    tables.endFlow(flow, next.reason, next.endMicros);
    if (half.mate !== null) sleepIfPeer(tables, half.mate);
  }
}

/** Ends the flows that were silent for too long. */
export function finishIdle(tables: Tables): void {
  const timeoutMicros = tables.rules.idleTimeoutMs * 1000;
  for (const half of tables.idle.due(tables.clock.nowMicros)) {
    const { flow, mate } = half;
    if (flow === null || flow.state === 'ENDED') continue;
    const due = flow.lastMicros + timeoutMicros;
    if (due > tables.clock.nowMicros) {
      tables.idle.watch(half, due);
      continue;
    }
    stopLinger(tables, flow);
    tables.endFlow(flow, 'IDLE', flow.lastMicros);
    sleep(tables, half);
    if (mate !== null) sleepIfPeer(tables, mate);
  }
}

function sleepIfPeer(tables: Tables, half: Half): void {
  if ('peerPort' in half) sleep(tables, half as PeerHalf);
}
