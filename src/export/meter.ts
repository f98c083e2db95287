/**
 * The metering process: decides when a flow is reported and what has happened since the report before. Deltas add up to
 * the flow's totals. A long flow is reported at the active timeout; one that has fallen silent at the idle timeout, though
 * its connection may still be open, and again when it moves on.
 */
import type { Fact, Flow, FlowEndReason, Traffic } from '../correlate/index.js';
import { END_REASON, Interval, type EndReason, type Sent } from './interval.js';

export interface Timeouts {
  readonly activeTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** What was told of an end so far. */
class Told {
  octets = 0;
  packets = 0;
  payloadBytes = 0;
  retransmitted = 0;
}

class Metered {
  startMicros: number;
  /** End of the latest report; the flow was seen since when it moved later. */
  toldMicros = -Infinity;
  /** The second in which it is looked at again; -1 while it is silent. */
  dueSecond = -1;
  /** Null before the first report, which for most flows is the last. */
  client: Told | null = null;
  server: Told | null = null;

  constructor(readonly flow: Flow) {
    this.startMicros = flow.startMicros;
  }
}

const SECOND_MICROS = 1_000_000;

export class FlowMeter {
  private readonly metered = new Map<Flow, Metered>();
  /** By the second in which they are due. A flow that ends is taken out: it must not be remembered for that. */
  private readonly wheel = new Map<number, Set<Metered>>();
  private nextSecond = -Infinity;
  private interval: Interval | null = null;
  private readonly activeMicros: number;
  private readonly idleMicros: number;

  constructor(
    timeouts: Timeouts,
    private readonly report: (interval: Interval) => void,
  ) {
    this.activeMicros = timeouts.activeTimeoutMs * 1000;
    this.idleMicros = timeouts.idleTimeoutMs * 1000;
  }

  /** Flows that are metered now. */
  get size(): number {
    return this.metered.size;
  }

  /** Of them, those that are looked at again by themselves. */
  get watched(): number {
    let count = 0;
    for (const due of this.wheel.values()) count += due.size;
    return count;
  }

  /** Takes what the correlator tells, in its order. */
  take(fact: Fact): void {
    if (fact.kind !== 'flow' || fact.flow.ipVersion === null) return;
    const { flow } = fact;
    let metered = this.metered.get(flow);
    if (fact.event === 'STARTED' && metered === undefined) {
      metered = new Metered(flow);
      this.metered.set(flow, metered);
      this.watch(metered);
    }
    if (metered === undefined) return;
    if (fact.event === 'ENDED') {
      this.metered.delete(flow);
      this.unwatch(metered);
      this.tell(metered, reasonOf(flow.endReason));
    } else if (metered.dueSecond < 0 && this.hasMoved(metered)) {
      // Silent until now. What was the first packet again is not known better than this.
      metered.startMicros = Math.max(flow.lastMicros, metered.toldMicros);
      this.watch(metered);
    }
  }

  /** Reports what is due. */
  tick(nowMicros: number): void {
    const now = Math.floor(nowMicros / SECOND_MICROS);
    if (now < this.nextSecond) return;
    this.nextSecond = now + 1;
    const seconds = [...this.wheel.keys()].filter((second) => second <= now).sort((a, b) => a - b);
    for (const second of seconds) {
      const due = this.wheel.get(second);
      this.wheel.delete(second);
      for (const metered of due ?? []) this.look(metered, nowMicros);
    }
  }

  private look(metered: Metered, nowMicros: number): void {
    metered.dueSecond = -1;
    const { lastMicros } = metered.flow;
    if (!this.hasMoved(metered)) return;
    if (nowMicros >= lastMicros + this.idleMicros) {
      this.tell(metered, END_REASON.idle);
      return;
    }
    if (nowMicros >= metered.startMicros + this.activeMicros) {
      this.tell(metered, END_REASON.active);
      // The next one begins where this one ended: nothing between them, nothing twice.
      metered.startMicros = metered.toldMicros;
    }
    this.watch(metered);
  }

  private watch(metered: Metered): void {
    const active = metered.startMicros + this.activeMicros;
    const idle = metered.flow.lastMicros + this.idleMicros;
    // A second that was looked at already would never come again.
    const second = Math.max(Math.ceil(Math.min(active, idle) / SECOND_MICROS), this.nextSecond, 0);
    metered.dueSecond = second;
    const others = this.wheel.get(second);
    if (others === undefined) this.wheel.set(second, new Set([metered]));
    else others.add(metered);
  }

  private unwatch(metered: Metered): void {
    const others = this.wheel.get(metered.dueSecond);
    others?.delete(metered);
    if (others?.size === 0) this.wheel.delete(metered.dueSecond);
    metered.dueSecond = -1;
  }

  private hasMoved({ flow, client, server, toldMicros }: Metered): boolean {
    return flow.lastMicros > toldMicros || isMore(flow.client, client) || isMore(flow.server, server);
  }

  private tell(metered: Metered, reason: EndReason): void {
    const { flow } = metered;
    const interval = (this.interval ??= new Interval(flow));
    interval.flow = flow;
    interval.reason = reason;
    interval.startMicros = metered.startMicros;
    interval.endMicros = Math.max(flow.lastMicros, metered.startMicros);
    const wasTold = metered.toldMicros;
    metered.toldMicros = interval.endMicros;
    subtract(flow.client, metered.client, interval.client);
    subtract(flow.server, metered.server, interval.server);
    if (this.metered.has(flow)) {
      metered.client = added(metered.client, interval.client);
      metered.server = added(metered.server, interval.server);
    }
    const { client, server } = interval;
    // A record tells of packets: none is made for an interval without any. Where they are not counted, times have to do.
    const isUnknown = client.isUnknown && server.isUnknown && flow.lastMicros > wasTold;
    if (client.isSome || server.isSome || isUnknown) this.report(interval);
  }
}

function isMore(traffic: Traffic, told: Told | null): boolean {
  return (traffic.packets ?? 0) > (told?.packets ?? 0) || (traffic.payloadBytes ?? 0) > (told?.payloadBytes ?? 0);
}

/** Puts into `sent` what is more than was told. */
function subtract(traffic: Traffic, told: Told | null, sent: Sent): void {
  sent.octets = more(traffic.octets, told?.octets);
  sent.packets = more(traffic.packets, told?.packets);
  sent.payloadBytes = more(traffic.payloadBytes, told?.payloadBytes);
  sent.retransmitted = more(traffic.retransmittedPackets, told?.retransmitted);
}

/** What was told with this interval, too. */
function added(told: Told | null, sent: Sent): Told {
  const sum = told ?? new Told();
  if (sent.octets > 0) sum.octets += sent.octets;
  if (sent.packets > 0) sum.packets += sent.packets;
  if (sent.payloadBytes > 0) sum.payloadBytes += sent.payloadBytes;
  if (sent.retransmitted > 0) sum.retransmitted += sent.retransmitted;
  return sum;
}

function more(total: number | null, told = 0): number {
  return total === null ? NaN : Math.max(0, total - told);
}

function reasonOf(reason: FlowEndReason | null): EndReason {
  switch (reason) {
    case 'IDLE':
      return END_REASON.idle;
    case 'ACTIVE':
      return END_REASON.active;
    case 'FORCED':
      return END_REASON.forced;
    default:
      return END_REASON.endOfFlow;
  }
}
