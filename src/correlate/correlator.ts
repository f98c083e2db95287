/** Turns batches into the live state and the stream of facts. */
import type { Batch } from '../capture/batch.js';
import { locate } from './attach.js';
import { BatchWork } from './batch-work.js';
import { BootClock } from './clock.js';
import { completePeer } from './datagram.js';
import type { Exchange } from './exchange.js';
import { exchangeById, ExchangeTable, type ExchangeLimits } from './exchange-table.js';
import { Exchanges } from './exchanges.js';
import { finishIdle, finishLingering } from './ends.js';
import { FlowTable, type FlowLimits } from './flow-table.js';
import { HALF_FLAG, PeerHalf, StreamSocket, type Half } from './halves.js';
import { IdMaker } from './ids.js';
import type {
  AgentCapabilities,
  DelayAccounting,
  Fact,
  FactListener,
  Governor,
  GovernorStatus,
  HostStatus,
  HostTier,
  LiveState,
  Loss,
  ProcessUsage,
  TierStatus,
  ListeningSocket,
} from './live-state.js';
import type { Flow, FlowEndReason, Process, ProcessShare, User } from './model.js';
import { noteOwners } from './owners.js';
import { ProcessTable, type ProcessLimits } from './process-table.js';
import { makeRedactor } from './redact.js';
import type { TargetRules } from './request-target.js';
import { Movements } from './movements.js';
import { RanWithin } from './ran-within.js';
import { applyRows, expireAside } from './rows.js';
import type { Group, GroupKind } from './series/group.js';
import { Recorder } from './series/recorder.js';
import type { SeriesLimits, SeriesStore } from './series/store.js';
import { completeStream } from './stream.js';
import { Tables } from './tables.js';
import { resolveUnknown } from './unknown-peers.js';
import { UsageLedger } from './usage-ledger.js';
import type { Usage } from './usage.js';
import { UserDirectory, type UserResolver } from './users.js';

/** What does not change while the agent runs. */
export interface HostFacts {
  readonly id: string;
  readonly name: string;
  readonly bootId: string;
  readonly kernel: string;
  readonly agentVersion: string;
  readonly agentPid: number;
  readonly startMicros: number;
}

/** What capture knows about itself at a moment. */
export interface CaptureStatus {
  readonly source: HostStatus['source'];
  readonly sourceReason: string | null;
  readonly tiers: readonly TierStatus[];
  readonly programRuns: Readonly<Record<string, number>>;
  readonly lastPollMs: number | null;
  readonly pollIntervalMs: number | null;
  readonly sampleIntervalMs: number | null;
  readonly delayAccounting: DelayAccounting | null;
  readonly governor: GovernorStatus | null;
  readonly agentCapabilities: AgentCapabilities;
  /** Losses that no batch tells of. */
  readonly losses?: readonly Loss[];
}

export interface CorrelatorOptions {
  readonly host: HostFacts;
  readonly flows: FlowLimits;
  readonly processes: ProcessLimits & { readonly redact: readonly string[] };
  readonly exchanges: ExchangeLimits & TargetRules;
  readonly resolveUsers: UserResolver;
  readonly capture: () => CaptureStatus;
  /** Told of each tier of capture that is put off, or runs again. */
  readonly onTier?: (tier: HostTier) => void;
  /** How long a flow that ended at one end waits for the other end on this host: a little more than a poll. */
  readonly mateWaitMs?: number;
  /** How often the counters of live flows are read. */
  readonly pollIntervalMs?: number;
  readonly series?: SeriesLimits;
  /** The source cannot see every process (procfs without privileges). */
  readonly ownersHidden?: boolean;
  /** `batch`: now is the time of the latest batch, as a replay wants it. */
  readonly clock?: 'wall' | 'batch';
  /** Batches that wait hold at most so many bytes; then {@link Correlator.apply} works until they do. */
  readonly maxQueuedBytes?: number;
}

const DEFAULT_MATE_WAIT_MS = 1500;
const DEFAULT_POLL_MS = 1000;
const DEFAULT_SERIES: SeriesLimits = { retentionMs: 900_000, stepMs: 1000, maxBytes: 64 * 1024 * 1024 };

const AF_INET = 2;

export class Correlator implements LiveState {
  readonly users: UserDirectory;
  private readonly clock = new BootClock();
  private readonly processTable: ProcessTable;
  private readonly flowTable: FlowTable;
  private readonly exchangeTable: ExchangeTable;
  private readonly recorder: Recorder;
  private readonly usage: UsageLedger;
  private readonly movements: Movements;
  private readonly ran: RanWithin;
  private readonly tables: Tables;
  private readonly losses = new Map<string, number>();
  private listeners: readonly FactListener[] = [];
  private readonly work: BatchWork;
  private revision = 0;
  private reportedRevision = 0;
  private nextReportMicros = 0;
  private closed = false;

  constructor(private readonly options: CorrelatorOptions) {
    const { host, flows, processes, exchanges } = options;
    const ids = new IdMaker(host.id, host.bootId);
    this.users = new UserDirectory(options.resolveUsers);
    this.processTable = new ProcessTable(ids, this.clock, processes, (event, process) =>
      this.tellProcess(event, process),
    );
    this.processTable.redact = makeRedactor(processes.redact);
    this.processTable.meetUser = (uid) => void this.users.user(uid);
    this.recorder = new Recorder(options.series ?? DEFAULT_SERIES);
    this.usage = new UsageLedger(this.clock, this.recorder);
    this.ran = new RanWithin(this.processTable, this.recorder, this.usage);
    this.movements = new Movements(this.clock, this.recorder, (options.pollIntervalMs ?? DEFAULT_POLL_MS) * 1000);
    this.processTable.forgot = (process) => this.usage.forgetProcess(process);
    this.flowTable = new FlowTable(
      flows,
      ids,
      this.processTable,
      (event, flow) => this.tellFlow(event, flow),
      (share) => this.usage.forgetShare(share),
    );
    this.exchangeTable = new ExchangeTable(exchanges, (event, exchange) => this.tellExchange(event, exchange));
    this.flowTable.forgotten = (flow) => this.exchangeTable.forgetFlow(flow);
    const { clock, processTable, flowTable, usage, movements } = this;
    const rows = new Exchanges(this.exchangeTable, exchanges);
    this.tables = new Tables(ids, clock, processTable, flowTable, rows, usage, movements, {
      idleTimeoutMs: flows.idleTimeoutMs,
      mateWaitMs: options.mateWaitMs ?? DEFAULT_MATE_WAIT_MS,
      ownersHidden: options.ownersHidden ?? false,
    });
    this.work = new BatchWork((batch) => this.run(batch), options.maxQueuedBytes);
    if (options.onTier !== undefined) this.tables.tiers.changed = options.onTier;
  }

  /** Takes a batch, which is worked off in slices. See {@link BatchWork}. */
  apply(batch: Batch): void {
    if (!this.closed) this.work.add(batch);
  }

  /** Works off everything that waits, now. */
  flush(): void {
    this.work.flush();
  }

  /** Resolves when nothing waits. */
  settled(): Promise<void> {
    return this.work.settled();
  }

  /** Bytes of the batches that wait. */
  get backlogBytes(): number {
    return this.work.backlogBytes;
  }

  /** Ends what is silent and forgets what is old; every batch does so, this is for when none comes. */
  tick(nowBootNs: number): void {
    this.clock.advance(nowBootNs);
    this.advanceSeries();
    // In the middle of a batch its own end does the same.
    if (this.work.isBusy || this.closed) return;
    this.expire();
    if (this.clock.nowMicros >= this.nextReportMicros) this.work.begin(this.reportLasting());
  }

  /** Ends all live flows and tells of it; nothing is taken afterwards. */
  close(reason: FlowEndReason = 'FORCED'): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    for (const socket of [...this.tables.unresolved]) resolveUnknown(this.tables, socket, true);
    this.publishNow();
    const now = this.clock.nowMicros;
    this.revision++;
    for (const flow of this.flowTable.all()) {
      if (flow.state === 'ENDED') continue;
      const lingering = this.tables.lingerOf.get(flow);
      if (lingering === undefined) this.flowTable.end(flow, reason, now);
      else this.flowTable.end(flow, lingering.reason, lingering.endMicros);
      this.flowTable.publish(flow, this.revision, now);
    }
    this.exchangeTable.finishAll(now);
    const work = this.exchangeTable.publish(now);
    while (work.next().done !== true);
  }

  private *run(batch: Batch): Generator<void, void> {
    this.clock.read(batch.readBootNs, batch.bootToUnixNs);
    this.advanceSeries();
    yield* applyRows(this.tables, batch, this.losses);
    yield* this.publish();
    this.ran.clear();
    this.expire();
    yield* this.reportLasting();
  }

  /** Tells of what the batch has changed: each flow once, when both of its ends are complete. */
  private *publish(): Generator<void, void> {
    const { dirty, endedFlows } = this.tables;
    this.tables.dirty = [];
    this.tables.endedFlows = [];
    this.tables.detections.settle(this.tables, dirty);
    this.processTable.announceReferenced();
    let steps = 0;
    for (const half of dirty) {
      this.complete(half);
      if (++steps % 256 === 0) yield;
    }
    this.movements.settle();
    const revision = ++this.revision;
    const now = this.clock.nowMicros;
    for (const { flow } of dirty) {
      if (flow !== null) this.flowTable.publish(flow, revision, now);
      if (++steps % 64 === 0) yield;
    }
    const dueNs = this.clock.nowNs + this.tables.rules.mateWaitMs * 1e6;
    for (const flow of endedFlows) {
      this.flowTable.publish(flow, revision, now);
      this.exchangeTable.flowEnded(flow, dueNs);
      if (++steps % 64 === 0) yield;
    }
    yield* this.exchangeTable.publish(now);
    this.processTable.announceExits();
    this.tellSamples();
  }

  private publishNow(): void {
    const { dirty, endedFlows } = this.tables;
    if (dirty.length === 0 && endedFlows.length === 0 && !this.exchangeTable.hasNews) return;
    const work = this.publish();
    while (work.next().done !== true);
  }

  private complete(half: Half): void {
    half.flags &= ~HALF_FLAG.dirty;
    if (half.flow === null) return;
    if (half instanceof StreamSocket) completeStream(half);
    else if (half instanceof PeerHalf) completePeer(this.tables, half);
    locate(half.flow, half);
    noteOwners(this.tables, half);
  }

  private expire(): void {
    const { tables, clock } = this;
    for (const socket of [...tables.unresolved]) resolveUnknown(tables, socket, false);
    // What was given just now belongs to flows that may end below.
    this.publishNow();
    finishLingering(tables);
    finishIdle(tables);
    this.exchangeTable.finishWaiting(clock.nowNs, clock.nowMicros);
    this.publishNow();
    expireAside(tables);
    tables.detections.expire(tables);
    this.usage.expire();
    tables.endedCookies.retain(clock.nowNs);
    tables.targets.retain(clock.nowNs);
    this.exchangeTable.retain(clock.nowMicros);
    this.flowTable.retain(clock.nowMicros);
    this.processTable.retain(clock.nowMicros);
  }

  /** Tells of flows that last and that nothing was told of since the last time here. */
  private *reportLasting(): Generator<void, void> {
    const now = this.clock.nowMicros;
    if (now < this.nextReportMicros) return;
    this.nextReportMicros = now + (this.options.flows.activeTimeoutMs ?? Infinity) * 1000;
    const toldBefore = this.reportedRevision;
    this.reportedRevision = ++this.revision;
    let steps = 0;
    for (const flow of this.flowTable.all()) {
      if (++steps % 256 === 0) yield;
      if (flow.state !== 'ENDED' && flow.revision <= toldBefore)
        this.flowTable.publish(flow, this.reportedRevision, now);
    }
  }

  private tellFlow(event: 'STARTED' | 'UPDATED' | 'ENDED', flow: Flow): void {
    if (this.listeners.length > 0) this.tell({ kind: 'flow', event, flow });
  }

  private tellProcess(event: 'STARTED' | 'EXECUTED' | 'EXITED', process: Process): void {
    if (this.listeners.length > 0) this.tell({ kind: 'process', event, process });
  }

  private tellExchange(event: 'STARTED' | 'ENDED', exchange: Exchange): void {
    if (this.listeners.length > 0) this.tell({ kind: 'exchange', event, exchange });
  }

  private advanceSeries(): void {
    this.recorder.advance(this.clock.nowMicros, this.processTable.all(), this.flowTable.live);
  }

  private tellSamples(): void {
    this.recorder.settle();
    const { sampled } = this.usage;
    this.usage.sampled = [];
    if (this.listeners.length === 0) return;
    for (const process of sampled) this.tell({ kind: 'sample', event: 'SAMPLED', process });
  }

  private tell(fact: Fact): void {
    for (const listener of this.listeners) listener(fact);
  }

  flows(): Iterable<Flow> {
    return this.flowTable.all();
  }

  flow(id: string): Flow | undefined {
    return this.flowTable.get(id);
  }

  processes(): Iterable<Process> {
    return this.processTable.all();
  }

  process(id: string): Process | undefined {
    return this.processTable.get(id);
  }

  exchanges(): Iterable<Exchange> {
    return this.exchangeTable.all();
  }

  exchange(id: string): Exchange | undefined {
    return exchangeById(id, (flowId) => this.flowTable.get(flowId));
  }

  ranWithin(fromMicros: number, toMicros: number): readonly ProcessUsage[] {
    return this.ran.between(fromMicros, toMicros);
  }

  user(uid: number): User {
    return this.users.user(uid);
  }

  userName(uid: number): string | null {
    return this.users.nameOf(uid);
  }

  uidOf(name: string): number | undefined {
    return this.users.uidOf(name);
  }

  usageOf(share: ProcessShare): Usage | null {
    return this.usage.usageOf(share);
  }

  totalUsage(process: Process): Usage | null {
    return this.usage.totalOf(process);
  }

  currentUsage(process: Process): Usage | null {
    return this.usage.currentOf(process);
  }

  notesOf(flow: Flow): number {
    return flow.noteBits | this.usage.notesOf(flow);
  }

  group(kind: GroupKind, key: string | number): Group | null {
    return this.recorder.group(kind, key);
  }

  groups(kind: GroupKind): Iterable<Group> {
    return this.recorder.groupsOf(kind);
  }

  *listeningSockets(): Generator<ListeningSocket> {
    for (const socket of this.tables.listeners.all()) {
      yield {
        protocolNumber: socket.protocolNumber,
        ipVersion: socket.family === AF_INET ? 4 : 6,
        address: socket.localAddress,
        port: socket.localPort,
        remoteAddress: socket.remoteAddress,
        namespaceInode: socket.namespace.inode,
        process: socket.owner,
      };
    }
  }

  get series(): SeriesStore {
    return this.recorder.store;
  }

  nowMicros(): number {
    return this.options.clock === 'batch' ? this.clock.nowMicros : Date.now() * 1000;
  }

  subscribe(listener: FactListener): () => void {
    // Another function for each subscription, so that one listener can be there twice.
    const own: FactListener = (fact) => listener(fact);
    this.listeners = [...this.listeners, own];
    return () => {
      this.listeners = this.listeners.filter((other) => other !== own);
    };
  }

  /** Takes over what may be configured anew while the agent runs. */
  reconfigure(processes: { readonly redact: readonly string[] }, exchanges: TargetRules): void {
    this.processTable.redact = makeRedactor(processes.redact);
    this.tables.exchanges.reconfigure(exchanges);
  }

  status(): HostStatus {
    const { losses: captureLosses, tiers, governor, ...capture } = this.options.capture();
    const usage = process.cpuUsage();
    return {
      ...this.options.host,
      ...capture,
      tiers: this.tables.tiers.over(tiers),
      governor: governor === null ? null : this.withSpans(governor),
      losses: [...(captureLosses ?? []), ...this.allLosses()],
      liveFlows: this.flowTable.live,
      endedFlows: this.flowTable.remembered,
      liveProcesses: this.processTable.live,
      flowsStarted: this.flowTable.started,
      flowsEnded: this.flowTable.endedInAll,
      liveExchanges: this.exchangeTable.live,
      endedExchanges: this.exchangeTable.remembered,
      exchangesStarted: this.exchangeTable.started,
      exchangesEnded: this.exchangeTable.endedInAll,
      agentCpuTimeMs: (usage.user + usage.system) / 1000,
      agentMemoryBytes: process.memoryUsage.rss(),
    };
  }

  private withSpans(governor: GovernorStatus): Governor {
    const { shedSpans } = this.tables.tiers;
    const open = shedSpans.filter(({ toMicros }) => toMicros === null).map(({ fromMicros }) => fromMicros);
    return { ...governor, shedSinceMicros: open.length === 0 ? null : Math.min(...open), shedSpans };
  }

  private allLosses(): Loss[] {
    const losses = [...this.losses].map(([place, count]) => ({ place, count }));
    losses.push({ place: 'flowTable', count: this.flowTable.refused });
    losses.push({ place: 'trafficAside', count: this.tables.asideLost });
    losses.push({ place: 'endedFlows', count: this.flowTable.evicted });
    losses.push({ place: 'applicationAside', count: this.tables.detections.lost });
    losses.push({ place: 'liveExchanges', count: this.exchangeTable.refused });
    losses.push({ place: 'exchangeAside', count: this.tables.exchanges.lost });
    losses.push({ place: 'endedExchanges', count: this.exchangeTable.evicted });
    losses.push({ place: 'usageAside', count: this.usage.asideLost });
    losses.push({ place: 'seriesPoints', count: this.recorder.store.evicted });
    losses.push({ place: 'seriesGroups', count: this.recorder.refused });
    losses.push({ place: 'userNames', count: this.users.failed });
    return losses;
  }

  /** Entries in each table, for tests of leaks and for diagnosis. */
  sizes(): Readonly<Record<string, number>> {
    const { tables } = this;
    return {
      flows: this.flowTable.live + this.flowTable.remembered,
      processes: this.processTable.size,
      sockets: tables.sockets.size,
      tuples: tables.tuples.size,
      targets: tables.targets.size,
      listeners: tables.listeners.size,
      idle: tables.idle.size,
      lingering: tables.lingerOf.size,
      aside: tables.asideRows,
      exchanges: this.exchangeTable.live + this.exchangeTable.remembered,
      ...this.exchangeTable.sizes,
      exchangeSockets: tables.exchanges.connectionCount,
      exchangeAside: tables.exchanges.waitingRows,
      detections: tables.detections.size,
      unresolved: tables.unresolved.size,
      endedCookies: tables.endedCookies.size,
      processTracks: this.recorder.store.processTracks,
      ...this.usage.sizes,
    };
  }
}
