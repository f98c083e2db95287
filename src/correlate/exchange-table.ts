/**
 * Exchanges: live ones, and those that ended a short while ago.
 *
 * Each end of a connection on this host tells of its half of an exchange. The halves are one exchange of their flow, found
 * by its ordinal; it is over when every half that is to be had has said so.
 */
import { Fifo } from './collections.js';
import { Exchange, EXCHANGE_BIT } from './exchange.js';
import { NUMBER, NumberPlaces } from './exchange-numbers.js';
import type { Flow } from './model.js';

export interface ExchangeLimits {
  readonly keepEndedMs: number;
  readonly keepEndedMax: number;
  readonly maxLive: number;
}

/** The exchanges of one flow. */
export class FlowExchanges {
  /** By ordinal, oldest first. */
  readonly all = new Map<number, Exchange>();
  /** Not over yet. */
  live = 0;
  /** Everything up to this ordinal was forgotten. */
  forgottenUpTo = -1;
  /** The last ordinal that each half has ended. */
  clientEndedUpTo = -1;
  serverEndedUpTo = -1;
  /** What is added to the client's ordinals: it was heard of later than its server. */
  clientLag = 0;
  /** The sockets that told of them. */
  readonly cookies: number[] = [];
  /** Which ends were heard of, and whether an exchange has waited for one in vain. */
  clientSeen = false;
  serverSeen = false;
  waitedInVain = false;

  private prefix: string | null = null;

  constructor(
    readonly flow: Flow,
    /** Tells the ordinals of one run of the agent from those of another; 0 when they count from the connection's start. */
    private readonly salt: number,
  ) {}

  /** What the ids of all of them begin with; read once the flow was published, since that names it. */
  get idPrefix(): string {
    const salt = this.salt === 0 ? '' : `${this.salt.toString(36)}.`;
    return (this.prefix ??= `x_${this.flow.id.slice(2)}.${salt}`);
  }

  /** Only one end of the connection is followed, though both are on this host. */
  get isOneSided(): boolean {
    return this.waitedInVain && !(this.clientSeen && this.serverSeen);
  }

  /** The one told of by an ordinal; undefined when it was not published, or is forgotten. */
  published(ordinal: number): Exchange | undefined {
    const exchange = this.all.get(ordinal);
    return exchange?.has(EXCHANGE_BIT.toldStart) === true ? exchange : undefined;
  }
}

/** The exchanges of a flow that were told of. */
export function* exchangesOf(flow: Flow): IterableIterator<Exchange> {
  for (const exchange of flow.exchanges?.all.values() ?? []) if (exchange.has(EXCHANGE_BIT.toldStart)) yield exchange;
}

/** The exchange of an id, as `Exchange.id` makes it. */
export function exchangeById(id: string, flowById: (id: string) => Flow | undefined): Exchange | undefined {
  const parts = /^x_([\w-]{1,128})\.(?:[0-9a-z]{1,11}\.)?([0-9a-z]{1,7})$/.exec(id);
  if (parts === null) return undefined;
  const exchange = flowById(`f_${parts[1] ?? ''}`)?.exchanges?.published(parseInt(parts[2] ?? '', 36));
  return exchange?.id === id ? exchange : undefined;
}

/** Waits for an end's word until `dueNs`. */
interface Waiting {
  readonly exchange: Exchange;
  readonly dueNs: number;
}

export class ExchangeTable {
  private readonly places = new NumberPlaces();
  private readonly flows = new Set<FlowExchanges>();
  private readonly ended = new Fifo<Exchange>();
  private readonly endedAt = new Fifo<number>();
  private readonly waiting = new Fifo<Waiting>();
  private changed: Exchange[] = [];
  private liveCount = 0;
  private rememberedCount = 0;
  private startedCount = 0;
  private endedCount = 0;
  private refusedCount = 0;
  private forgottenEarly = 0;

  constructor(
    private readonly limits: ExchangeLimits,
    private readonly emit: (event: 'STARTED' | 'ENDED', exchange: Exchange) => void,
  ) {}

  /** Told of each flow whose exchanges are forgotten, all of them. */
  forgotten: (list: FlowExchanges) => void = () => undefined;

  *all(): IterableIterator<Exchange> {
    for (const { flow } of this.flows) yield* exchangesOf(flow);
  }

  get live(): number {
    return this.liveCount;
  }

  /** Ended and still remembered. */
  get remembered(): number {
    return this.rememberedCount;
  }

  get started(): number {
    return this.startedCount;
  }

  get endedInAll(): number {
    return this.endedCount;
  }

  /** Requests that found the table full. */
  get refused(): number {
    return this.refusedCount;
  }

  /** Whether something is to be told of. */
  get hasNews(): boolean {
    return this.changed.length > 0;
  }

  /** Forgotten before their time, to make room for later ones. */
  get evicted(): number {
    return this.forgottenEarly;
  }

  /** Flows with exchanges, and exchanges that wait for the other end. */
  get sizes(): { readonly exchangeFlows: number; readonly exchangesWaiting: number } {
    return { exchangeFlows: this.flows.size, exchangesWaiting: this.waiting.size };
  }

  /** The exchanges of a flow; made when it has none. */
  of(flow: Flow, salt: number): FlowExchanges {
    if (flow.exchanges !== null) return flow.exchanges;
    const made = new FlowExchanges(flow, salt);
    flow.exchanges = made;
    this.flows.add(made);
    return made;
  }

  /** The exchange of an ordinal; made when there is none. Null when it was forgotten already, or there is no room. */
  get(list: FlowExchanges, ordinal: number): Exchange | null {
    const known = list.all.get(ordinal);
    if (known !== undefined) return known;
    if (ordinal <= list.forgottenUpTo) return null;
    if (this.liveCount >= this.limits.maxLive) {
      this.refusedCount++;
      return null;
    }
    const { current } = this.places;
    const exchange = new Exchange(list, ordinal, current, this.places.take());
    list.all.set(ordinal, exchange);
    list.live++;
    this.liveCount++;
    return exchange;
  }

  /** There is news of an exchange: it is told of at the end of the batch. */
  touch(exchange: Exchange): void {
    if (exchange.has(EXCHANGE_BIT.changed)) return;
    exchange.bits |= EXCHANGE_BIT.changed;
    this.changed.push(exchange);
  }

  /** An end may still have something to tell. */
  wait(exchange: Exchange, dueNs: number): void {
    if (exchange.has(EXCHANGE_BIT.waits)) return;
    exchange.bits |= EXCHANGE_BIT.waits;
    this.waiting.push({ exchange, dueNs });
  }

  /** Nothing more is waited for. */
  finish(exchange: Exchange, micros: number): void {
    if (exchange.has(EXCHANGE_BIT.over)) return;
    exchange.bits |= EXCHANGE_BIT.over;
    exchange.numbers[exchange.offset + NUMBER.over] = micros;
    this.liveCount--;
    const list = exchange.flow.exchanges;
    if (list !== null) list.live--;
    this.touch(exchange);
  }

  /** Ends what has waited long enough. */
  finishWaiting(nowNs: number, nowMicros: number): void {
    for (let next = this.waiting.peek(); next !== undefined; next = this.waiting.peek()) {
      if (!next.exchange.has(EXCHANGE_BIT.over) && next.dueNs > nowNs) break;
      this.waiting.shift();
      const { exchange } = next;
      if (exchange.flow.exchanges !== null && !exchange.has(EXCHANGE_BIT.over)) {
        exchange.flow.exchanges.waitedInVain = true;
      }
      this.finish(exchange, exchange.flow.endMicros ?? nowMicros);
    }
  }

  /** The flow has ended: what it left open has until `dueNs` to be told of. */
  flowEnded(flow: Flow, dueNs: number): void {
    if (flow.exchanges === null || flow.exchanges.live === 0) return;
    for (const exchange of flow.exchanges.all.values()) {
      if (!exchange.has(EXCHANGE_BIT.over)) this.wait(exchange, dueNs);
    }
  }

  /** Ends all that is live: nothing is going to tell of its end. */
  finishAll(micros: number): void {
    for (const list of this.flows) {
      if (list.live === 0) continue;
      for (const exchange of list.all.values()) this.finish(exchange, micros);
    }
  }

  /** Nothing more is told of what is live, and what follows on the same connections begins anew. */
  cutAll(micros: number): void {
    for (const list of this.flows) {
      list.clientLag = 0;
      if (list.live === 0) continue;
      for (const exchange of list.all.values()) if (!exchange.has(EXCHANGE_BIT.over)) exchange.bits |= EXCHANGE_BIT.cut;
    }
    this.finishAll(micros);
  }

  /** Tells of what the batch has changed. */
  *publish(nowMicros: number): Generator<void, void> {
    const { changed } = this;
    this.changed = [];
    let steps = 0;
    for (const exchange of changed) {
      this.publishOne(exchange, nowMicros);
      if (++steps % 64 === 0) yield;
    }
  }

  private publishOne(exchange: Exchange, nowMicros: number): void {
    exchange.bits &= ~EXCHANGE_BIT.changed;
    if (exchange.has(EXCHANGE_BIT.gone)) return;
    if (!exchange.has(EXCHANGE_BIT.toldStart)) {
      exchange.bits |= EXCHANGE_BIT.toldStart;
      this.startedCount++;
      this.emit('STARTED', exchange);
    }
    if (!exchange.has(EXCHANGE_BIT.over) || exchange.has(EXCHANGE_BIT.toldEnd)) return;
    exchange.bits |= EXCHANGE_BIT.toldEnd;
    this.endedCount++;
    this.rememberedCount++;
    this.ended.push(exchange);
    this.endedAt.push(nowMicros);
    this.emit('ENDED', exchange);
  }

  /** Forgets ended exchanges whose time is over. */
  retain(nowMicros: number): void {
    const oldest = nowMicros - this.limits.keepEndedMs * 1000;
    for (let next = this.ended.peek(); next !== undefined; next = this.ended.peek()) {
      const isDue = (this.endedAt.peek() ?? 0) <= oldest;
      if (!isDue && this.ended.size <= this.limits.keepEndedMax) break;
      this.ended.shift();
      this.endedAt.shift();
      if (next.has(EXCHANGE_BIT.gone)) continue;
      if (!isDue) this.forgottenEarly++;
      this.forget(next);
    }
  }

  /** The flow is forgotten, and its exchanges with it. */
  forgetFlow(flow: Flow): void {
    const list = flow.exchanges;
    if (list === null) return;
    for (const exchange of list.all.values()) {
      if (!exchange.has(EXCHANGE_BIT.toldEnd)) {
        this.finish(exchange, flow.endMicros ?? flow.lastMicros);
        this.publishOne(exchange, flow.endMicros ?? flow.lastMicros);
      }
      this.forget(exchange);
    }
    this.flows.delete(list);
    this.forgotten(list);
  }

  private forget(exchange: Exchange): void {
    exchange.bits |= EXCHANGE_BIT.gone;
    if (exchange.has(EXCHANGE_BIT.toldEnd)) this.rememberedCount--;
    const list = exchange.flow.exchanges;
    if (list === null) return;
    list.all.delete(exchange.ordinal);
    list.forgottenUpTo = Math.max(list.forgottenUpTo, exchange.ordinal);
  }
}
