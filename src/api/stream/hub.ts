import type { Fact, LiveState } from '../../correlate/live-state.js';
import type { Exchange } from '../../correlate/exchange.js';
import type { Flow, Process } from '../../correlate/model.js';
import { Group, type EventKind, type GroupSpec, type StreamEvent } from './group.js';
import { Recent } from './recent.js';
import type { Sample } from './samples.js';
import { Subscriber, type EndReason, type Sink } from './subscriber.js';

export interface HubOptions {
  readonly bufferEvents: number;
  readonly stuckMs: number;
  readonly clockMs: () => number;
  /** Told of what went wrong by our own fault; one group's trouble must not reach another, nor the live state. */
  readonly report: (error: unknown) => void;
}

/** The rows that streams are made of, by the word for them. */
export interface Streamed {
  flow: Flow;
  process: Process;
  exchange: Exchange;
  sample: Sample;
}
export type StreamName = keyof Streamed;

export interface JoinOptions<T> {
  readonly sink: Sink;
  /** The same key means the same spec. */
  readonly key: string;
  readonly spec: () => GroupSpec<T>;
  /** Resume after this event, as far as memory reaches. */
  readonly after?: EventPosition | undefined;
}

/** A place in the stream of this run of the agent. */
export interface EventPosition {
  readonly run: string;
  readonly sequence: number;
}

/**
 * The one listener of the live state's facts on behalf of all subscribers: numbers them, keeps the recent ones for those
 * that resume, and hands them to the groups.
 */
export class Hub {
  /** Tells the runs of the agent apart in positions. */
  readonly run: string;
  readonly #groups: { readonly [K in StreamName]: Map<string, Group<Streamed[K]>> } = {
    flow: new Map(),
    process: new Map(),
    exchange: new Map(),
    sample: new Map(),
  };
  /** Samples are not kept: a later one says more. */
  readonly #recent: { readonly [K in StreamName]: Recent<Streamed[K]> } = {
    flow: new Recent(),
    process: new Recent(),
    exchange: new Recent(),
    sample: new Recent(),
  };
  readonly #unsubscribe: () => void;
  readonly #progressTimer: NodeJS.Timeout;
  #dropped = 0;

  constructor(
    state: LiveState,
    private readonly options: HubOptions,
  ) {
    this.run = Math.floor(state.status().startMicros).toString(36);
    this.#unsubscribe = state.subscribe((fact) => this.#onFact(fact));
    this.#progressTimer = setInterval(() => this.#checkProgress(), Math.max(10, options.stuckMs / 4));
    this.#progressTimer.unref();
  }

  /** Events dropped for slow subscribers, over all of them. */
  get dropped(): number {
    return this.#dropped;
  }

  get subscribers(): number {
    let count = 0;
    for (const group of this.#allGroups()) count += group.size;
    return count;
  }

  join<K extends StreamName>(name: K, { sink, key, spec, after }: JoinOptions<Streamed[K]>): Subscribed {
    const groups: Map<string, Group<Streamed[K]>> = this.#groups[name];
    const made = spec();
    let group = groups.get(key);
    if (group === undefined) {
      group = new Group(made, (events) => (this.#dropped += events), this.options);
      groups.set(key, group);
    }
    const joined = group;
    const subscriber = new Subscriber(sink, {
      bufferEvents: this.options.bufferEvents,
      stuckMs: this.options.stuckMs,
      renderDropped: (count) => made.renderDropped(count),
      onDropped: (count) => (this.#dropped += count),
      clockMs: this.options.clockMs,
    });
    joined.add(subscriber);
    if (after !== undefined) this.#resume(name, subscriber, made, after);
    return {
      drained: () => subscriber.drained(),
      leave: () => {
        joined.remove(subscriber);
        if (joined.size === 0 && groups.get(key) === joined) groups.delete(key);
      },
    };
  }

  /** Ends every stream. */
  endAll(reason: EndReason): void {
    for (const group of this.#allGroups()) {
      group.flush();
      for (const subscriber of [...group.subscribers]) subscriber.sink.end(reason);
    }
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#progressTimer);
  }

  *#allGroups(): Iterable<Group<Flow> | Group<Process> | Group<Exchange> | Group<Sample>> {
    yield* this.#groups.flow.values();
    yield* this.#groups.process.values();
    yield* this.#groups.exchange.values();
    yield* this.#groups.sample.values();
  }

  #onFact(fact: Fact): void {
    switch (fact.kind) {
      case 'sample':
        this.#eachGroup('sample', (group) => group.noteSample(fact.process));
        return;
      case 'flow':
        this.#note('flow', fact.event, fact.flow);
        return;
      case 'process':
        this.#note('process', fact.event, fact.process);
        return;
      case 'exchange':
        this.#note('exchange', fact.event, fact.exchange);
        return;
    }
  }

  #note<K extends StreamName>(name: K, kind: EventKind, row: Streamed[K]): void {
    const recent: Recent<Streamed[K]> = this.#recent[name];
    // What changes often is not worth keeping: a later change says the same and more.
    const sequence = kind === 'UPDATED' ? null : recent.add(kind, row);
    this.#eachGroup(name, (group) => group.note(kind, row, sequence));
  }

  #eachGroup<K extends StreamName>(name: K, tell: (group: Group<Streamed[K]>) => void): void {
    const groups: Map<string, Group<Streamed[K]>> = this.#groups[name];
    for (const group of groups.values()) {
      try {
        tell(group);
      } catch (error) {
        this.options.report(error);
      }
    }
  }

  #resume<K extends StreamName>(
    name: K,
    subscriber: Subscriber,
    spec: GroupSpec<Streamed[K]>,
    after: EventPosition,
  ): void {
    const recent: Recent<Streamed[K]> = this.#recent[name];
    // A position of an earlier run: everything since this run began is new to the client.
    const sequence = after.run === this.run ? after.sequence : 0;
    const { missed, events } = recent.after(sequence);
    const wanted: StreamEvent<Streamed[K]>[] = events.filter(
      ({ kind, row }) => spec.kinds.has(kind) && spec.filter.test(row),
    );
    if (wanted.length > 0) subscriber.deliver({ payload: spec.render(wanted, missed), events: wanted.length });
    else if (missed > 0) subscriber.deliver({ payload: spec.renderDropped(missed), events: 0 });
  }

  #checkProgress(): void {
    for (const group of this.#allGroups()) for (const subscriber of [...group.subscribers]) subscriber.checkProgress();
  }
}

export interface Subscribed {
  /** To be called when the sink can take more. */
  readonly drained: () => void;
  /** Leaves the stream; harmless when called twice. */
  readonly leave: () => void;
}
