/**
 * What the packets tier counts between a datagram socket and each of its peers: octets and packets as they pass, and who
 * sent what a process received without asking for the sender.
 */
import type { Batch } from '../capture/batch.js';
import { PEER_FLAG } from '../capture/layout.js';
import { BoundSocket, Counters, small, type PeerHalf } from './halves.js';
import { NOTE } from './owners.js';
import { allPeers, peerOf } from './peers.js';
import type { Tables } from './tables.js';
import { addressOrNull } from './traffic-row.js';
import { otherEnd } from './tuples.js';
import type { Traffic } from './model.js';

const PACKET = 0;
const UDP = 17;

const COLUMNS = [
  'sentOctets',
  'sentPackets',
  'sentBytes',
  'receivedOctets',
  'receivedPackets',
  'receivedBytes',
] as const;

/** The counters of one peer. */
export class WirePeer {
  /** Since the tier saw the peer first. */
  readonly total = new Counters();
  /** What was counted before the kernel began at zero again. */
  private readonly before = new Counters();
  /** What belongs to earlier flows with the peer. */
  private readonly earlier = new Counters();
  /** Some of the packets were not counted. */
  partial = false;
  /** The kernel counts no more for it. */
  ended = false;

  /** Takes over a row. @returns whether there was news in it */
  put(batch: Batch, row: number): boolean {
    const { peer } = batch;
    const flags = peer.flags[row] as number;
    const { total, before } = this;
    // Below what was seen: the end of the counters was lost, and they began at zero again.
    if (COLUMNS.some((column) => (peer[column][row] as number) + before[column] < total[column])) this.restart();
    let isNews = this.partial !== ((flags & PEER_FLAG.part) !== 0);
    for (const column of COLUMNS) {
      const value = small((peer[column][row] as number) + before[column]);
      if (value !== total[column]) isNews = true;
      total[column] = value;
    }
    this.partial ||= (flags & PEER_FLAG.part) !== 0;
    this.ended = (flags & PEER_FLAG.final) !== 0;
    if (this.ended) this.restart();
    return isNews;
  }

  /** What was counted in the present flow. */
  inFlow(column: (typeof COLUMNS)[number]): number {
    return this.total[column] - this.earlier[column];
  }

  /** The flow has ended, and the next one is counted from here. */
  endFlow(): void {
    Object.assign(this.earlier, this.total);
  }

  private restart(): void {
    Object.assign(this.before, this.total);
  }
}

export function applyWirePeer(tables: Tables, batch: Batch, row: number): void {
  const table = batch.peer;
  const socket = tables.sockets.get(table.cookie[row] as number);
  if (!(socket instanceof BoundSocket)) return;
  const address = addressOrNull(table.peerAddress, row, tables.texts) ?? socket.remoteAddress;
  if (address === null) return;
  const half = peerOf(socket, address, table.peerPort[row] === 0 ? socket.remotePort : (table.peerPort[row] as number));
  half.wire ??= new WirePeer();
  if (half.wire.put(batch, row) && half.flow !== null) tables.touch(half);
}

/** Shows what was counted on the wire in the place of what messages tell. */
export function showWire(half: PeerHalf): void {
  const { flow, endpoint, wire } = half;
  if (flow === null || endpoint === null || wire === null || wire.partial || half.protocolNumber === PACKET) return;
  const isUncounted = half.shares.length === 0;
  show(half, endpoint.sent, wire, 'sent', isUncounted);
  if (isUncounted) flow.noteBits &= ~NOTE.octetsUnknown;
  if (half.mate !== null || half.mateEndReason !== null) return;
  show(half, otherEnd(flow, endpoint).sent, wire, 'received', isUncounted);
}

function show(half: PeerHalf, to: Traffic, wire: WirePeer, way: 'sent' | 'received', isUncounted: boolean): void {
  const packets = wire.inFlow(`${way}Packets`);
  const bytes = wire.inFlow(`${way}Bytes`);
  // Read before the messages were, it tells of less: the next reading of both agrees.
  if (!isUncounted && packets < (to.messages ?? 0)) return;
  if (!isUncounted && half.protocolNumber === UDP && bytes < (to.payloadBytes ?? 0)) return;
  to.octets = wire.inFlow(`${way}Octets`);
  to.packets = packets;
  to.octetsDerived = false;
  if (isUncounted) to.payloadBytes = bytes;
}

/** A peer, and what arrived from it that no process was given yet. */
export interface WireSender {
  readonly half: PeerHalf;
  readonly room: Counters;
}

/** Who sent to a socket, if the packets tier saw all of them; null when it did not. */
export function wireSenders(socket: BoundSocket): WireSender[] | null {
  const senders: WireSender[] = [];
  for (const half of allPeers(socket)) {
    const { wire } = half;
    if (wire === null) continue;
    if (wire.partial) return null;
    const room = outstanding(half, wire);
    if (room.receivedMessages > 0) senders.push({ half, room });
  }
  return senders.length === 0 ? null : senders;
}

function outstanding(half: PeerHalf, wire: WirePeer): Counters {
  const room = new Counters();
  room.receivedBytes = wire.inFlow('receivedBytes');
  room.receivedMessages = room.receivedPackets = wire.inFlow('receivedPackets');
  room.receivedOctets = wire.inFlow('receivedOctets');
  // Without a flow a half may still have shares, which count below zero: they belong to the flow before.
  if (half.flow === null) return room;
  for (const share of half.shares) {
    room.receivedBytes -= share.receivedPayloadBytes;
    room.receivedMessages -= share.receivedMessages;
    room.receivedPackets -= share.receivedPackets;
    room.receivedOctets -= share.receivedOctets;
  }
  for (const counter of ['receivedBytes', 'receivedMessages', 'receivedPackets', 'receivedOctets'] as const) {
    room[counter] = Math.max(0, room[counter]);
  }
  return room;
}
