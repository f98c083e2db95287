/**
 * What the correlator offers to its readers (APIs, exporters, history): the live state, read synchronously, and the
 * stream of facts that changed it.
 */
import type { AgentCapabilities, DelayAccounting, GovernorStatus, TierStatus } from '../capture/index.js';
import type { Exchange } from './exchange.js';
import type { Flow, Process, ProcessShare, User } from './model.js';
import type { Group, GroupKind } from './series/group.js';
import type { SeriesStore } from './series/store.js';
import type { Usage } from './usage.js';

export type { AgentCapabilities, DelayAccounting, GovernorStatus, ProgramCost, TierStatus } from '../capture/index.js';

/** One thing that happened. Objects are live: read what is needed before returning, or copy it. */
export type Fact =
  | { readonly kind: 'flow'; readonly event: 'STARTED' | 'UPDATED' | 'ENDED'; readonly flow: Flow }
  | { readonly kind: 'process'; readonly event: 'STARTED' | 'EXECUTED' | 'EXITED'; readonly process: Process }
  | { readonly kind: 'exchange'; readonly event: 'STARTED' | 'ENDED'; readonly exchange: Exchange }
  | { readonly kind: 'sample'; readonly event: 'SAMPLED'; readonly process: Process };

/** What a process spent in a window. */
export interface ProcessUsage {
  readonly process: Process;
  readonly usage: Usage;
}

/** A socket that owns a port and is no connection. */
export interface ListeningSocket {
  /** Of IP. */
  readonly protocolNumber: number;
  readonly ipVersion: 4 | 6;
  readonly address: string;
  readonly port: number;
  /** A UDP socket that has a peer; null without. */
  readonly remoteAddress: string | null;
  /** Inode of its network namespace. */
  readonly namespaceInode: number;
  /** Null when it is unknown. */
  readonly process: Process | null;
}

export type FactListener = (fact: Fact) => void;

/** A part of capture, and since when it is as it is. */
export interface HostTier extends TierStatus {
  /** Null when capture does not tell. */
  readonly sinceMicros: number | null;
}

/** A time in which a tier was put off. Of messages it means TCP only: others are counted all the time. */
export interface ShedSpan {
  readonly tier: TierStatus['name'];
  readonly fromMicros: number;
  /** Null as long as it lasts. */
  readonly toMicros: number | null;
}

/** What the kernel programs cost, and what was put off to keep that within the budget. */
export interface Governor extends GovernorStatus {
  /** Since when something has been put off; null when nothing is. */
  readonly shedSinceMicros: number | null;
  /** The latest, oldest first. In those of messages no exchanges were followed. */
  readonly shedSpans: readonly ShedSpan[];
}

/** Events or records that were lost, by the place where they were lost. Counts are since the start of the agent. */
export interface Loss {
  /** For instance ringBuffer.socket, ringBuffer.process, socketTable, batchQueue, subscriber. */
  readonly place: string;
  readonly count: number;
}

export interface HostStatus {
  readonly id: string;
  readonly name: string;
  readonly bootId: string;
  readonly kernel: string;
  readonly agentVersion: string;
  readonly agentPid: number;
  readonly startMicros: number;
  /** ebpf, ebpf-limited, procfs or replay. */
  readonly source: 'ebpf' | 'ebpf-limited' | 'procfs' | 'replay';
  /** Why not a better source; null when it is the best. */
  readonly sourceReason: string | null;
  readonly tiers: readonly HostTier[];
  readonly losses: readonly Loss[];
  readonly liveFlows: number;
  readonly endedFlows: number;
  readonly liveProcesses: number;
  /** Flows that started and ended since the agent's start. */
  readonly flowsStarted: number;
  readonly flowsEnded: number;
  /** Exchanges that are not over, that are over and remembered, and that started and ended since the agent's start. */
  readonly liveExchanges: number;
  readonly endedExchanges: number;
  readonly exchangesStarted: number;
  readonly exchangesEnded: number;
  /** CPU time of the agent's own user space since its start, in ms; resident memory in bytes. */
  readonly agentCpuTimeMs: number;
  readonly agentMemoryBytes: number;
  /** Runs of each kernel program since the start, by name; empty without BPF. */
  readonly programRuns: Readonly<Record<string, number>>;
  /** Null without kernel programs. */
  readonly governor: Governor | null;
  /** Duration of the last poll of live sockets in ms and the interval now in force; null before the first. */
  readonly lastPollMs: number | null;
  readonly pollIntervalMs: number | null;
  /** Interval now in force at which every process is read; null when none is. */
  readonly sampleIntervalMs: number | null;
  /** Whether the kernel accounts what tasks wait for; null without BPF. */
  readonly delayAccounting: DelayAccounting | null;
  readonly agentCapabilities: AgentCapabilities;
}

export interface LiveState {
  /** Live flows and flows that ended a short while ago, in no particular order. */
  flows(): Iterable<Flow>;
  flow(id: string): Flow | undefined;
  /** Live processes and those that exited a short while ago. */
  processes(): Iterable<Process>;
  process(id: string): Process | undefined;
  /** Exchanges that last and those that ended a short while ago. */
  exchanges(): Iterable<Exchange>;
  exchange(id: string): Exchange | undefined;
  /** What ran on the host between two times, each process in the part of them that samples tell of. */
  ranWithin(fromMicros: number, toMicros: number): readonly ProcessUsage[];
  /** The account of a uid; never fails (the number is the name while the name is unknown). */
  user(uid: number): User;
  /** The name of {@link user}; null before it was looked up, which takes a moment after a uid is met. */
  userName(uid: number): string | null;
  /** The uid of an account name among the users seen. */
  uidOf(name: string): number | undefined;
  /** What a process spent while it used the socket of a flow; null when it is not known. */
  usageOf(share: ProcessShare): Usage | null;
  /** What a process spent from its start to its exit or the latest sample; null before there was one. */
  totalUsage(process: Process): Usage | null;
  /** What a process spent between the two latest samples; null before there were two, and after its exit. */
  currentUsage(process: Process): Usage | null;
  /** All notes of a flow, as a bit set. */
  notesOf(flow: Flow): number;
  /** All processes of an executable, user (by uid), container or of the host together; null when none was recorded. */
  group(kind: GroupKind, key: string | number): Group | null;
  groups(kind: GroupKind): Iterable<Group>;
  readonly series: SeriesStore;
  listeningSockets(): Iterable<ListeningSocket>;
  status(): HostStatus;
  /** Converts µs of Unix time now, for windows and relative times. */
  nowMicros(): number;
  /** Calls the listener synchronously for each fact from now on; returns the way to stop it. A listener must not throw. */
  subscribe(listener: FactListener): () => void;
}
