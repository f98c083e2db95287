/** A live state in memory, made of the real model's classes. Tests change it and emit the facts. */
import type { Fact, FactListener, HostStatus, LiveState, ProcessUsage } from '../../src/correlate/live-state.js';
import { USAGE_FLAG } from '../../src/capture/layout.js';
import { Exchange, EXCHANGE_BIT } from '../../src/correlate/exchange.js';
import { HALF_NUMBER, NUMBER, NumberPlaces } from '../../src/correlate/exchange-numbers.js';
import { FlowExchanges } from '../../src/correlate/exchange-table.js';
import { Recorder } from '../../src/correlate/series/recorder.js';
import type { Group, GroupKind } from '../../src/correlate/series/group.js';
import type { SeriesStore } from '../../src/correlate/series/store.js';
import { Meter } from '../../src/correlate/meter.js';
import { Reading, Usage } from '../../src/correlate/usage.js';
import type { Endpoint } from '../../src/correlate/model.js';
import { Flow, Process, ProcessShare, type FlowState, type Protocol, type User } from '../../src/correlate/model.js';

/** 2026-11-23T08:43:09.064028Z */
export const T0 = 1_795_423_389_064_028;

export interface ProcessSketch {
  readonly name?: string;
  readonly executable?: string | null;
  readonly args?: readonly string[] | null;
  readonly uid?: number;
  readonly pid?: number;
  readonly parent?: Process;
  readonly startMicros?: number;
}

export interface FlowSketch {
  readonly protocol?: Protocol;
  readonly state?: FlowState;
  readonly client?: Process | null;
  readonly server?: Process | null;
  readonly clientAddress?: string;
  readonly serverAddress?: string;
  readonly clientPort?: number;
  readonly serverPort?: number;
  readonly sent?: number;
  readonly received?: number;
  readonly startMicros?: number;
  readonly endMicros?: number;
}

export interface ExchangeSketch {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly status?: number;
  /** After {@link T0}. */
  readonly startMs?: number;
  readonly durationMs?: number;
  readonly responseBytes?: number;
  readonly cpuMs?: number;
  readonly live?: boolean;
}

export class FakeState implements LiveState {
  /** What each process spends in any window. */
  readonly cpuMs = new Map<Process, number>();
  now = T0 + 60_000_000;
  lost = 0;
  /** What was spent, by share and by process; tests set it. */
  readonly usages = new Map<ProcessShare, Usage>();
  readonly totals = new Map<Process, Usage>();
  readonly currents = new Map<Process, Usage>();
  readonly recorder = new Recorder({ retentionMs: 900_000, stepMs: 1000, maxBytes: 64 * 1024 * 1024 });
  readonly #flows = new Map<string, Flow>();
  readonly #processes = new Map<string, Process>();
  readonly #places = new NumberPlaces();
  readonly #exchanges = new Map<string, Exchange>();
  readonly #names = new Map<number, string>([
    [0, 'root'],
    [33, 'www-data'],
    [1000, 'ada'],
  ]);
  readonly #listeners = new Set<FactListener>();
  #count = 0;

  addProcess(sketch: ProcessSketch = {}): Process {
    const n = ++this.#count;
    const pid = sketch.pid ?? 1000 + n;
    const process = new Process(`p_${n}`, pid, n, sketch.startMicros ?? T0 + n);
    process.name = sketch.name ?? 'curl';
    process.executable = sketch.executable === undefined ? `/usr/bin/${process.name}` : sketch.executable;
    process.arguments = sketch.args === undefined ? [process.name, '-s'] : sketch.args;
    process.uid = sketch.uid ?? 1000;
    process.gid = process.uid;
    process.parent = sketch.parent ?? null;
    sketch.parent?.children.add(process);
    process.images = [
      {
        name: process.name,
        executable: process.executable,
        arguments: process.arguments,
        argumentsTruncated: false,
        startMicros: process.startMicros,
      },
    ];
    this.#processes.set(process.id, process);
    return process;
  }

  addFlow(sketch: FlowSketch = {}): Flow {
    const n = ++this.#count;
    const name = { id: `f_${String(n).padStart(7, '0')}`, cookie: n, peer: null, salt: 0 };
    const flow = new Flow(name, n, sketch.protocol ?? 'TCP', 6, 4);
    fill(
      flow.client,
      sketch.clientAddress ?? '127.0.0.1',
      sketch.clientPort ?? 40_000 + (n % 20_000),
      sketch.client,
      sketch.sent ?? 100,
    );
    fill(
      flow.server,
      sketch.serverAddress ?? '127.0.0.1',
      sketch.serverPort ?? 80,
      sketch.server,
      sketch.received ?? 1000,
    );
    flow.client.local = sketch.client !== null;
    flow.server.local = sketch.server !== null && sketch.server !== undefined;
    flow.direction = flow.client.local ? (flow.server.local ? 'LOCAL' : 'OUTBOUND') : 'INBOUND';
    for (const [end, other] of [
      [flow.client, flow.server],
      [flow.server, flow.client],
    ] as const) {
      if (end.process === null) continue;
      const share = new ProcessShare(end.process);
      share.sentPayloadBytes = end.sent.payloadBytes ?? 0;
      share.receivedPayloadBytes = other.sent.payloadBytes ?? 0;
      end.shares = [share];
      end.process.flows.add(flow);
    }
    flow.state = sketch.state ?? 'OPEN';
    flow.startMicros = sketch.startMicros ?? T0 + n;
    flow.lastMicros = flow.startMicros + 1500;
    flow.endMicros = sketch.endMicros ?? null;
    if (flow.endMicros !== null) flow.state = 'ENDED';
    this.#flows.set(flow.id, flow);
    return flow;
  }

  addExchange(flow: Flow, sketch: ExchangeSketch = {}): Exchange {
    const list = (flow.exchanges ??= new FlowExchanges(flow, 0));
    const { current } = this.#places;
    const exchange = new Exchange(list, list.all.size, current, this.#places.take());
    list.all.set(exchange.ordinal, exchange);
    exchange.method = sketch.method ?? 'GET';
    exchange.target = sketch.target ?? '/';
    exchange.hostHeader = sketch.host ?? null;
    exchange.statusCode = sketch.status ?? 200;
    exchange.clientProcess = flow.client.process;
    exchange.serverProcess = flow.server.process;
    exchange.tid = flow.server.process === null ? 0 : flow.server.process.pid;
    exchange.threadName = 'worker';
    const isServed = flow.server.process !== null;
    const start = T0 + 1000 * (sketch.startMs ?? exchange.ordinal);
    const end = start + 1000 * (sketch.durationMs ?? 5);
    const { offset, numbers } = exchange;
    exchange.bits = EXCHANGE_BIT.toldStart | EXCHANGE_BIT.clientStarted | (isServed ? EXCHANGE_BIT.serverStarted : 0);
    for (const half of isServed ? [NUMBER.client, NUMBER.server] : [NUMBER.client]) {
      numbers[offset + half + HALF_NUMBER.requestStart] = start;
      numbers[offset + half + HALF_NUMBER.requestEnd] = start;
    }
    this.#exchanges.set(exchange.id, exchange);
    if (sketch.live === true) {
      exchange.statusCode = 0;
      return exchange;
    }
    exchange.bits |= EXCHANGE_BIT.over | EXCHANGE_BIT.toldEnd | EXCHANGE_BIT.clientEnded;
    if (isServed) {
      exchange.bits |= EXCHANGE_BIT.serverEnded;
      exchange.setUsageFlags(USAGE_FLAG.process | USAGE_FLAG.thread | USAGE_FLAG.memory);
    }
    for (const half of isServed ? [NUMBER.client, NUMBER.server] : [NUMBER.client]) {
      numbers[offset + half + HALF_NUMBER.responseStart] = end;
      numbers[offset + half + HALF_NUMBER.responseEnd] = end;
      numbers[offset + half + HALF_NUMBER.requestBytes] = 80;
      numbers[offset + half + HALF_NUMBER.responseBytes] = sketch.responseBytes ?? 1000;
    }
    numbers[offset + NUMBER.windowFrom] = start;
    numbers[offset + NUMBER.windowTo] = end;
    numbers[offset + NUMBER.spent] = 1e6 * (sketch.cpuMs ?? 1);
    return exchange;
  }

  forget(flow: Flow): void {
    this.#flows.delete(flow.id);
  }

  /** A sample of a process, as of `now`. */
  sample(process: Process, reading: Partial<Reading>): void {
    const meter = (process.meter ??= new Meter());
    const latest = Object.assign(
      meter.nextSample(),
      new Reading(),
      { timeNs: this.now * 1000, micros: this.now },
      reading,
    );
    this.recorder.sampled(process, meter, latest, false);
    this.recorder.settle();
    this.emit({ kind: 'sample', event: 'SAMPLED', process });
  }

  /** Time goes on by a second, at the end of which processes are sampled. */
  tick(...samples: readonly (readonly [process: Process, reading: Partial<Reading>])[]): void {
    this.now += 1_000_000;
    this.recorder.advance(this.now, this.processes(), this.#flows.size);
    for (const [process, reading] of samples) this.sample(process, reading);
  }

  emit(fact: Fact): void {
    for (const listener of this.#listeners) listener(fact);
  }

  /** Makes a flow and tells of it. */
  start(sketch: FlowSketch = {}): Flow {
    const flow = this.addFlow(sketch);
    this.emit({ kind: 'flow', event: 'STARTED', flow });
    return flow;
  }

  end(flow: Flow): void {
    flow.state = 'ENDED';
    flow.endMicros = this.now;
    flow.endReason = 'END_OF_FLOW';
    this.emit({ kind: 'flow', event: 'ENDED', flow });
  }

  flows(): Iterable<Flow> {
    return this.#flows.values();
  }
  flow(id: string): Flow | undefined {
    return this.#flows.get(id);
  }
  processes(): Iterable<Process> {
    return this.#processes.values();
  }
  process(id: string): Process | undefined {
    return this.#processes.get(id);
  }
  user(uid: number): User {
    return { uid, name: this.#names.get(uid) ?? String(uid) };
  }
  userName(uid: number): string | null {
    return this.user(uid).name;
  }
  exchanges(): Iterable<Exchange> {
    return this.#exchanges.values();
  }
  exchange(id: string): Exchange | undefined {
    return this.#exchanges.get(id);
  }
  ranWithin(fromMicros: number, toMicros: number): readonly ProcessUsage[] {
    return [...this.cpuMs].map(([process, cpuTimeMs]) => {
      const usage = new Usage({ from: fromMicros, to: toMicros });
      usage.cpuTimeMs = cpuTimeMs;
      usage.memoryBytes = 1000 * cpuTimeMs;
      return { process, usage };
    });
  }
  uidOf(name: string): number | undefined {
    for (const [uid, known] of this.#names) if (known === name) return uid;
    return undefined;
  }
  usageOf(share: ProcessShare): Usage | null {
    return this.usages.get(share) ?? null;
  }
  totalUsage(process: Process): Usage | null {
    return this.totals.get(process) ?? null;
  }
  currentUsage(process: Process): Usage | null {
    return this.currents.get(process) ?? null;
  }
  notesOf(flow: Flow): number {
    return flow.noteBits;
  }
  group(kind: GroupKind, key: string | number): Group | null {
    return this.recorder.group(kind, key);
  }
  groups(kind: GroupKind): Iterable<Group> {
    return this.recorder.groupsOf(kind);
  }
  listeningSockets(): [] {
    return [];
  }

  get series(): SeriesStore {
    return this.recorder.store;
  }
  nowMicros(): number {
    return this.now;
  }
  subscribe(listener: FactListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  status(): HostStatus {
    return {
      id: 'h_test',
      name: 'testhost',
      bootId: '4b3c6f9e-0000-4000-8000-000000000000',
      kernel: '6.18.0',
      agentVersion: '0.1.0',
      agentPid: 4711,
      startMicros: T0,
      source: 'ebpf',
      sourceReason: null,
      tiers: [
        { name: 'lifecycle', state: 'ON', reason: null, sinceMicros: T0 },
        { name: 'packets', state: 'UNAVAILABLE', reason: 'not built in', sinceMicros: null },
      ],
      losses: [{ place: 'ringBuffer.socket', count: this.lost }],
      liveFlows: this.#flows.size,
      endedFlows: 0,
      liveProcesses: this.#processes.size,
      flowsStarted: this.#flows.size,
      flowsEnded: 0,
      liveExchanges: 0,
      endedExchanges: this.#exchanges.size,
      exchangesStarted: this.#exchanges.size,
      exchangesEnded: this.#exchanges.size,
      agentCpuTimeMs: 12.5,
      agentMemoryBytes: 80_000_000,
      programRuns: { inet_sock_set_state: 42 },
      lastPollMs: null,
      pollIntervalMs: 1000,
      sampleIntervalMs: null,
      delayAccounting: null,
      governor: {
        budgetPercent: 1,
        loadPercent: 0.25,
        calibration: 'MEASURED',
        calibrationReason: null,
        programs: [
          { name: 'inet_sock_set_state', runs: 42, runsPerSecond: 7, costNs: 120.5, loadPercent: 0.25 },
          { name: 'sock_create', runs: 0, runsPerSecond: null, costNs: null, loadPercent: null },
        ],
        shedSinceMicros: T0 + 1_000_000,
        shedSpans: [
          { tier: 'messages', fromMicros: T0, toMicros: T0 + 500_000 },
          { tier: 'packets', fromMicros: T0 + 1_000_000, toMicros: null },
        ],
      },
      agentCapabilities: { capture: ['CAP_SYS_ADMIN'], others: [] },
    };
  }
}

function fill(end: Endpoint, address: string, port: number, process: Process | null | undefined, bytes: number): void {
  end.address = address;
  end.port = port;
  end.process = process ?? null;
  end.creator = process ?? null;
  end.sent.payloadBytes = bytes;
  end.sent.octets = bytes + 40;
  end.sent.packets = 3;
  end.sent.octetsDerived = true;
}

/** A usage of `cpuTimeMs` in a window of a second before `toMicros`, and whatever else is given. */
export function usage(cpuTimeMs: number, more: Partial<Usage> = {}, toMicros = T0): Usage {
  return Object.assign(new Usage({ from: toMicros - 1_000_000, to: toMicros }), { cpuTimeMs }, more);
}
