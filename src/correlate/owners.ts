/** Who owns the end of a flow, by the best evidence there is. */
import type { Batch } from '../capture/batch.js';
import { SOCKET_KIND } from '../capture/layout.js';
import { HALF_FLAG, OWNER_RANK, type BoundSocket, type Half } from './halves.js';
import { noteBit, type Endpoint, type Flow, type Process } from './model.js';
import type { Tables } from './tables.js';

export const NOTE = {
  countersSinceAgentStart: noteBit('COUNTERS_SINCE_AGENT_START'),
  startTimeUnknown: noteBit('START_TIME_UNKNOWN'),
  peerUnknown: noteBit('PEER_UNKNOWN'),
  localAddressUnknown: noteBit('LOCAL_ADDRESS_UNKNOWN'),
  ownerUnknown: noteBit('OWNER_UNKNOWN'),
  ownerFromListener: noteBit('OWNER_FROM_LISTENER'),
  messagesTierOff: noteBit('MESSAGES_TIER_OFF'),
  tcpFlagsTierOff: noteBit('TCP_FLAGS_TIER_OFF'),
  octetsUnknown: noteBit('OCTETS_UNKNOWN'),
  eventsLost: noteBit('EVENTS_LOST'),
  processNotVisible: noteBit('PROCESS_NOT_VISIBLE'),
  tcpFlagsPartial: noteBit('TCP_FLAGS_PARTIAL'),
  applicationTierOff: noteBit('APPLICATION_TIER_OFF'),
  applicationTierShed: noteBit('APPLICATION_TIER_SHED'),
  applicationUndetected: noteBit('APPLICATION_UNDETECTED'),
  messagesTierShed: noteBit('MESSAGES_TIER_SHED'),
  resourcesTierOff: noteBit('RESOURCES_TIER_OFF'),
  usageStartUnknown: noteBit('USAGE_START_UNKNOWN'),
  usageEndUnknown: noteBit('USAGE_END_UNKNOWN'),
  ioWaitNotAccounted: noteBit('IO_WAIT_NOT_ACCOUNTED'),
  peakMemoryUnknown: noteBit('PEAK_MEMORY_UNKNOWN'),
} as const;

/** What a socket's row says about its processes. */
export class OwnerFacts {
  creator: Process | null = null;
  opener: Process | null = null;
  mover: Process | null = null;
  closer: Process | null = null;
  holder: Process | null = null;

  /**
   * Rows repeat who made a socket as long as it lives, also when that process is long gone and forgotten. So the first
   * row of a socket may make processes known, and later ones only with those that act now: a mover of a connection,
   * whoever closes.
   */
  read(tables: Tables, batch: Batch, row: number, isFirst: boolean, isStream: boolean): this {
    const { socket } = batch;
    const { processes } = tables;
    const isEnd = socket.kind[row] === SOCKET_KIND.ended;
    this.creator = processes.named(socket.creatorPid[row] as number, socket.creatorStartNs[row] as number, isFirst);
    this.opener = processes.named(socket.openerPid[row] as number, socket.openerStartNs[row] as number, isFirst);
    this.mover = processes.named(
      socket.moverPid[row] as number,
      socket.moverStartNs[row] as number,
      isFirst || isStream,
    );
    this.closer = processes.named(
      socket.closerPid[row] as number,
      socket.closerStartNs[row] as number,
      isFirst || isEnd,
    );
    this.holder = processes.named(socket.holderPid[row] as number, socket.holderStartNs[row] as number, isFirst);
    return this;
  }

  get best(): Process | null {
    return this.mover ?? this.closer ?? this.opener ?? this.holder ?? this.creator;
  }

  get rank(): number {
    if (this.mover !== null) return OWNER_RANK.mover;
    if (this.closer !== null) return OWNER_RANK.closer;
    if (this.opener !== null) return OWNER_RANK.opener;
    if (this.holder !== null) return OWNER_RANK.holder;
    return this.creator !== null ? OWNER_RANK.creator : OWNER_RANK.none;
  }
}

/** Makes a process the owner of a half's endpoint, unless a better one is known. */
export function proposeOwner(tables: Tables, half: Half, process: Process | null, rank: number): void {
  if (process === null || half.flow === null || half.endpoint === null) return;
  if (!isBetter(rank, half.ownerRank, half.endpoint.process)) return;
  half.ownerRank = rank;
  if (half.endpoint.process === process) return;
  const previous = half.endpoint.process;
  enlist(half.flow, process);
  half.endpoint.process = process;
  if (half.flow.state !== 'ENDED') {
    process.connections++;
    if (previous !== null) previous.connections--;
  }
  if (previous !== null) unlist(tables, half.flow, previous);
  tables.touch(half);
}

/** Movers and closers follow each other; of several holders the first found stays, so that it does not flicker. */
function isBetter(rank: number, known: number, owner: Process | null): boolean {
  return (
    rank > known || (rank === known && (rank >= OWNER_RANK.closer || (owner !== null && owner.endMicros !== null)))
  );
}

export function proposeBoundOwner(socket: BoundSocket, process: Process | null, rank: number): boolean {
  if (process === null || !isBetter(rank, socket.ownerRank, socket.owner)) return false;
  socket.ownerRank = rank;
  const changed = socket.owner !== process;
  socket.owner = process;
  return changed;
}

export function setCreator(flow: Flow, endpoint: Endpoint, creator: Process | null): void {
  if (creator === null || endpoint.creator !== null) return;
  enlist(flow, creator);
  endpoint.creator = creator;
}

/** Gives a flow to a process that is about to have a part in it. */
export function enlist(flow: Flow, process: Process): void {
  // Mostly it has one already, and to look at the flow is cheaper than to search the process's.
  if (!flow.involves(process)) process.flows.add(flow);
}

/** Takes a flow from a process, if that has no part in it any more. */
export function unlist(tables: Tables, flow: Flow, process: Process): void {
  if (flow.involves(process)) return;
  process.flows.delete(flow);
  tables.processes.released(process);
}

/** An accepted socket that nobody was seen with belongs to whoever owns the listener, when that is one process. */
export function ownerFromListener(tables: Tables, half: Half, localPort: number): void {
  if (half.ownerRank !== OWNER_RANK.none) return;
  proposeOwner(
    tables,
    half,
    tables.listeners.soleOwner(half.namespace, half.protocolNumber, localPort),
    OWNER_RANK.listener,
  );
}

/** Notes about the owners of a flow, from its halves. */
export function noteOwners(tables: Tables, half: Half): void {
  const { flow, mate } = half;
  if (flow === null) return;
  flow.noteBits &= ~(NOTE.ownerFromListener | NOTE.ownerUnknown | NOTE.processNotVisible);
  const unknown = tables.rules.ownersHidden ? NOTE.processNotVisible : NOTE.ownerUnknown;
  flow.noteBits |= ownerNote(half.ownerRank, unknown);
  if (mate !== null) flow.noteBits |= ownerNote(mate.ownerRank, unknown);
}

function ownerNote(rank: number, unknown: number): number {
  return rank === OWNER_RANK.none ? unknown : rank === OWNER_RANK.listener ? NOTE.ownerFromListener : 0;
}

/** Whether the socket's rows tell who moved last, so that traffic rows need not. */
export function markMover(half: Half, facts: OwnerFacts): void {
  if (facts.mover !== null) half.flags |= HALF_FLAG.moverKnown;
}
