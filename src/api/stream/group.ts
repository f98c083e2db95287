import type { Process } from '../../correlate/model.js';
import type { Filter } from '../query/index.js';
import type { Batch, Subscriber } from './subscriber.js';

export type FlowEventKind = 'STARTED' | 'UPDATED' | 'ENDED';
export type ProcessEventKind = 'STARTED' | 'EXECUTED' | 'EXITED';
export type EventKind = FlowEventKind | ProcessEventKind | 'SAMPLED';

/** One event as it waits for the end of its window. */
export interface StreamEvent<T> {
  readonly kind: EventKind;
  readonly row: T;
  /** Its number among all facts, to resume after it; null for what cannot be resumed at. */
  readonly sequence: number | null;
}

/** What a group's subscribers have in common. */
export interface GroupSpec<T> {
  readonly kinds: ReadonlySet<EventKind>;
  readonly filter: Filter<T>;
  readonly windowMs: number;
  /** Makes rows of sampled processes; null when there is nothing to tell of one. */
  pick?(process: Process): T | null;
  /** Called once a window for all subscribers. */
  render(events: readonly StreamEvent<T>[], dropped: number): Buffer;
  renderDropped(count: number): Buffer;
}

/** More events in one window are dropped, the oldest first. */
export const MAX_WINDOW_EVENTS = 10_000;
/** Started rows that do not pass the filter yet; how long, and how many. */
const LATE_MS = 5000;
const MAX_LATE = 10_000;

/**
 * Subscribers that asked for the same. Each event is tested once, each window rendered once, whatever their number.
 */
export class Group<T> {
  readonly #subscribers = new Set<Subscriber>();
  #events: StreamEvent<T>[] = [];
  #dropped = 0;
  readonly #updated = new Set<T>();
  readonly #late = new Map<T, number>();
  #fresh: T[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly spec: GroupSpec<T>,
    private readonly onDropped: (events: number) => void,
    private readonly options: { readonly clockMs: () => number; readonly report: (error: unknown) => void },
  ) {}

  get size(): number {
    return this.#subscribers.size;
  }

  get subscribers(): ReadonlySet<Subscriber> {
    return this.#subscribers;
  }

  add(subscriber: Subscriber): void {
    // Whoever joins sees what happens from now on, not the first half of a window.
    this.flush();
    this.#subscribers.add(subscriber);
  }

  remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) clearTimeout(this.#timer);
  }

  /** Takes note of a fact, if it is one that the subscribers want. */
  note(kind: EventKind, row: T, sequence: number | null): void {
    const { kinds, filter } = this.spec;
    switch (kind) {
      case 'STARTED':
        if (!kinds.has('STARTED')) return;
        if (filter.test(row)) this.#push({ kind, row, sequence });
        else if (filter.isLate) this.#addLate(row);
        return;
      case 'UPDATED':
        this.#startLate(row);
        if (!kinds.has(kind) || this.#updated.has(row) || !filter.test(row)) return;
        this.#updated.add(row);
        this.#push({ kind, row, sequence });
        return;
      case 'SAMPLED':
        this.#push({ kind, row, sequence });
        return;
      case 'EXECUTED':
      case 'ENDED':
      case 'EXITED':
        this.#startLate(row);
        if (kind !== 'EXECUTED') this.#late.delete(row);
        if (kinds.has(kind) && filter.test(row)) this.#push({ kind, row, sequence });
        return;
    }
  }

  /** Takes note of a sample, if the subscribers want it. */
  noteSample(process: Process): void {
    const row = this.spec.pick?.(process) ?? null;
    if (row !== null) this.note('SAMPLED', row, null);
  }

  /** Ends the window now. Does not throw: it runs by a timer, for nobody that could answer for it. */
  flush(): void {
    try {
      this.#flush();
    } catch (error) {
      this.options.report(error);
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#retryFresh();
    this.#forgetLate();
    if (this.#events.length === 0) return;
    if (this.#events.length > MAX_WINDOW_EVENTS) this.#dropOldest();
    const events = this.#events;
    const dropped = this.#dropped;
    this.#events = [];
    this.#dropped = 0;
    this.#updated.clear();
    if (this.#subscribers.size === 0) return;
    const batch: Batch = { payload: this.spec.render(events, dropped), events: events.length };
    for (const subscriber of this.#subscribers) subscriber.deliver(batch);
  }

  #push(event: StreamEvent<T>): void {
    this.#events.push(event);
    if (this.#events.length >= 2 * MAX_WINDOW_EVENTS) this.#dropOldest();
    this.#schedule();
  }

  /** Twice the bound is let in before the oldest half goes, so that each drop does not move the whole list. */
  #dropOldest(): void {
    const excess = this.#events.length - MAX_WINDOW_EVENTS;
    for (const { kind, row } of this.#events.slice(0, excess)) if (kind === 'UPDATED') this.#updated.delete(row);
    this.#events = this.#events.slice(excess);
    this.#dropped += excess;
    this.onDropped(excess * this.#subscribers.size);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), this.spec.windowMs);
  }

  #addLate(row: T): void {
    this.#late.set(row, this.options.clockMs() + LATE_MS);
    this.#fresh.push(row);
    if (this.#late.size > MAX_LATE) this.#forgetOldestLate();
    if (this.#fresh.length > 2 * MAX_LATE) this.#fresh = this.#fresh.slice(-MAX_LATE);
    this.#schedule();
  }

  #startLate(row: T): void {
    if (!this.#late.has(row) || !this.spec.filter.test(row)) return;
    this.#late.delete(row);
    this.#push({ kind: 'STARTED', row, sequence: null });
  }

  /** Most learn within the window whose they are, without a fact of its own. */
  #retryFresh(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const row of fresh) this.#startLate(row);
  }

  #forgetLate(): void {
    const nowMs = this.options.clockMs();
    for (const [row, untilMs] of this.#late) {
      if (untilMs > nowMs) return;
      this.#late.delete(row);
    }
  }

  #forgetOldestLate(): void {
    for (const row of this.#late.keys()) {
      this.#late.delete(row);
      return;
    }
  }
}
