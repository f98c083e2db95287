/**
 * Gives flows the application that their packets tell of.
 *
 * Detection is told as it happens, while a datagram socket's traffic is read at the next poll: what has no flow yet waits
 * until its flow is heard of.
 */
import type { Batch } from '../capture/batch.js';
import { APPLICATION_FLAG } from '../capture/layout.js';
import { Applications, type Application } from './application.js';
import { BoundSocket, PeerHalf, type Half, type Socket } from './halves.js';
import type { Flow } from './model.js';
import { NOTE } from './owners.js';
import { findPeer } from './peers.js';
import type { Tables } from './tables.js';
import { addressOrNull } from './traffic-row.js';

/** As many as may be under way at once between two polls. */
const MAX_PENDING = 16_384;
const MAX_PENDING_NS = 30e9;

export const APPLICATION_NOTES = NOTE.applicationTierOff | NOTE.applicationTierShed | NOTE.applicationUndetected;

interface Pending {
  readonly cookie: number;
  /** Null for connected sockets. */
  readonly peerAddress: string | null;
  readonly peerPort: number;
  readonly application: Application;
  readonly guessed: boolean;
  readonly timeNs: number;
}

export class Detections {
  private readonly applications = new Applications();
  private readonly pending = new Map<number, Pending[]>();
  private pendingRows = 0;
  /** Whose flow never showed up, or there were too many. */
  lost = 0;

  get size(): number {
    return this.pendingRows;
  }

  apply(tables: Tables, batch: Batch, row: number): void {
    const table = batch.application;
    const cookie = table.cookie[row] as number;
    const application = this.applications.read(batch, row);
    if (application === null || cookie === 0) return;
    const found: Pending = {
      cookie,
      peerAddress: addressOrNull(table.peerAddress, row, tables.texts),
      peerPort: table.peerPort[row] as number,
      application,
      guessed: ((table.flags[row] as number) & APPLICATION_FLAG.guessed) !== 0,
      timeNs: table.timeNs[row] as number,
    };
    const socket = tables.sockets.get(cookie);
    const half = socket === undefined ? null : halfOf(socket, found);
    if (half !== null && half.flow !== null) give(tables, half, half.flow, found);
    else if (!tables.endedCookies.has(cookie)) this.wait(found);
  }

  /** Gives what waited to the flows that were heard of since. */
  settle(tables: Tables, touched: readonly Half[]): void {
    if (this.pendingRows === 0) return;
    for (const half of touched) {
      const waiting = this.pending.get(half.cookie);
      if (waiting === undefined || half.flow === null) continue;
      const { flow } = half;
      const rest = waiting.filter((found) => {
        if (!isFor(half, found)) return true;
        give(tables, half, flow, found);
        return false;
      });
      this.keep(half.cookie, waiting, rest);
    }
  }

  /** Gives up on flows that never came. */
  expire(tables: Tables): void {
    const untilNs = tables.clock.nowNs - MAX_PENDING_NS;
    for (const [cookie, waiting] of this.pending) {
      if ((waiting[0]?.timeNs ?? 0) > untilNs) return;
      this.drop(cookie, waiting);
    }
  }

  private wait(found: Pending): void {
    if (this.pendingRows >= MAX_PENDING) this.dropOldest();
    const others = this.pending.get(found.cookie);
    this.pendingRows++;
    if (others === undefined) this.pending.set(found.cookie, [found]);
    else others.push(found);
  }

  private dropOldest(): void {
    for (const [cookie, waiting] of this.pending) {
      this.drop(cookie, waiting);
      return;
    }
  }

  private drop(cookie: number, waiting: readonly Pending[]): void {
    this.lost += waiting.length;
    this.keep(cookie, waiting, []);
  }

  private keep(cookie: number, before: readonly Pending[], after: Pending[]): void {
    this.pendingRows -= before.length - after.length;
    if (after.length === 0) this.pending.delete(cookie);
    else if (after.length < before.length) this.pending.set(cookie, after);
  }
}

function halfOf(socket: Socket, { peerAddress, peerPort }: Pending): Half | null {
  if (!(socket instanceof BoundSocket)) return socket;
  const address = peerAddress ?? socket.remoteAddress;
  return address === null ? null : findPeer(socket, address, peerAddress === null ? socket.remotePort : peerPort);
}

function isFor(half: Half, { peerAddress, peerPort }: Pending): boolean {
  if (!(half instanceof PeerHalf) || peerAddress === null) return true;
  return half.peerPort === peerPort && half.peerAddress === peerAddress;
}

function give(tables: Tables, half: Half, flow: Flow, { application, guessed }: Pending): void {
  // Of two local ends each may have been looked at: what the packets say stands above a guess.
  if (guessed && flow.application !== null && flow.application.confidence === 'PACKETS') return;
  flow.noteBits &= ~APPLICATION_NOTES;
  if (flow.application === application) return;
  flow.application = application;
  tables.touch(half);
}
