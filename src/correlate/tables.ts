/** Everything that is known at a moment, and what changed in the batch at hand. The rules work on this. */
import { AddressTexts } from '../capture/address.js';
import type { BootClock } from './clock.js';
import { Fifo } from './collections.js';
import { Detections } from './detections.js';
import type { Exchanges } from './exchanges.js';
import type { FlowTable } from './flow-table.js';
import { HALF_FLAG, type BoundSocket, type Half, type Socket } from './halves.js';
import { HashIndex, MANY } from './hash-index.js';
import { IdleWheel } from './idle-wheel.js';
import type { IdMaker } from './ids.js';
import { Listeners } from './listeners.js';
import type { Flow, FlowEndReason } from './model.js';
import { NamespaceTable } from './namespaces.js';
import type { ProcessTable } from './process-table.js';
import type { Movements } from './movements.js';
import type { TrafficRow } from './traffic-row.js';
import { RecentCookies } from './recent-cookies.js';
import { Tiers } from './tiers.js';
import { LocalTargets, TupleIndex } from './tuples.js';
import type { UsageLedger } from './usage-ledger.js';

/** An end that waits for what the other end, on this host too, still has to tell. */
export interface Linger {
  readonly half: Half;
  readonly flow: Flow;
  readonly reason: FlowEndReason;
  readonly endMicros: number;
  readonly dueNs: number;
  done: boolean;
}

export interface Rules {
  readonly idleTimeoutMs: number;
  /** How long the end of a flow waits for its other end on this host. */
  readonly mateWaitMs: number;
  /** The source cannot see every process: an owner that is missing may just be hidden. */
  readonly ownersHidden: boolean;
}

class SocketsByCookie extends HashIndex<number, Socket> {
  protected override keyOf(socket: Socket): number {
    return socket.cookie;
  }
  protected override hashOf(cookie: number): number {
    return cookie;
  }
}

export class Tables {
  readonly texts = new AddressTexts();
  readonly namespaces = new NamespaceTable(this.texts);
  readonly sockets = new SocketsByCookie(MANY);
  readonly listeners = new Listeners();
  readonly tuples = new TupleIndex();
  readonly targets = new LocalTargets(this.namespaces);
  readonly endedCookies = new RecentCookies();
  readonly idle = new IdleWheel();
  readonly tiers = new Tiers();
  readonly detections = new Detections();
  readonly lingering = new Fifo<Linger>();
  readonly lingerOf = new Map<Flow, Linger>();
  /** Traffic rows that came before their socket's row, by cookie. */
  readonly aside = new Map<number, TrafficRow[]>();
  asideRows = 0;
  asideLost = 0;
  /** Sockets that received from unknown peers what no flow has been given yet. */
  readonly unresolved = new Set<BoundSocket>();
  /** Halves to complete, and flows to tell of, at the end of the batch. */
  dirty: Half[] = [];
  endedFlows: Flow[] = [];
  /** Sockets whose end was read in this batch, with their rows. */
  endings: { readonly socket: Socket; readonly row: number }[] = [];

  constructor(
    readonly ids: IdMaker,
    readonly clock: BootClock,
    readonly processes: ProcessTable,
    readonly flows: FlowTable,
    readonly exchanges: Exchanges,
    readonly usage: UsageLedger,
    readonly movements: Movements,
    readonly rules: Rules,
  ) {}

  touch(half: Half): void {
    if ((half.flags & HALF_FLAG.dirty) !== 0) return;
    half.flags |= HALF_FLAG.dirty;
    this.dirty.push(half);
  }

  endFlow(flow: Flow, reason: FlowEndReason, micros: number): void {
    if (flow.state === 'ENDED') return;
    this.usage.settle(flow);
    this.flows.end(flow, reason, micros);
    this.endedFlows.push(flow);
  }
}
