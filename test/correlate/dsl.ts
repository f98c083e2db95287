/**
 * Writes batches as sentences: what happened in the kernel, in a few words.
 *
 * Time runs in ms of boot time; Unix time is boot time plus `EPOCH_MS`. A process is its pid, started at pid × 1 ms
 * unless it says otherwise.
 */
import { BatchWriter, decodeBatch, type Batch, type WrittenRow } from '../../src/capture/batch.js';
import {
  EXCHANGE_KIND,
  PEER_FLAG,
  PROCESS_KIND,
  SOCKET_FLAG,
  SOCKET_KIND,
  TRAFFIC_FLAG,
  USAGE_FLAG,
  USAGE_KIND,
} from '../../src/capture/layout.js';
import {
  Correlator,
  noteCodes,
  type CaptureStatus,
  type CorrelatorOptions,
  type Exchange,
  type Fact,
  type Flow,
  type FlowEndReason,
  type Process,
} from '../../src/correlate/index.js';

export const MS = 1e6;
export const EPOCH_MS = 1_700_000_000_000;
/** When the agent of the tests starts. */
export const AGENT_START_MS = 10_000;

export type Pid = number | readonly [pid: number, startMs: number];

export const TCP_STATE = {
  established: 1,
  synSent: 2,
  synRecv: 3,
  finWait1: 4,
  finWait2: 5,
  close: 7,
  closeWait: 8,
  listen: 10,
} as const;

interface ProcessWords {
  readonly name?: string | Uint8Array;
  readonly exe?: string;
  readonly args?: readonly string[];
  readonly parent?: Pid;
  readonly uid?: number;
  readonly cgroup?: string;
  readonly code?: number;
  readonly signal?: number;
  /** What it had spent in all, at its exit. */
  readonly totals?: ReadingWords;
}

/** A reading: cumulative since the start of the process. */
export interface ReadingWords {
  /** CPU and the user's part of it, in ms. */
  readonly cpu?: number;
  readonly user?: number;
  /** MiB; null is unknown. */
  readonly memory?: number | null;
  readonly peak?: number | null;
  readonly minor?: number;
  readonly major?: number;
  /** ms; null is not accounted. */
  readonly io?: number | null;
  readonly read?: number;
  readonly written?: number;
  readonly waits?: number;
  readonly preempted?: number;
  /** Without bytes of storage and context switches. */
  readonly part?: boolean;
  /** When it was made, when not now. */
  readonly at?: number;
}

interface SocketWords {
  /** Local and remote, as `10.0.0.1:80` or `[::1]:80`; a part that is missing is unspecified. */
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: number;
  readonly netns?: number;
  readonly passive?: boolean;
  readonly seeded?: boolean;
  readonly listener?: boolean;
  /** The messages tier counts it: the default. */
  readonly counted?: boolean;
  readonly lost?: boolean;
  readonly resetSent?: boolean;
  readonly creator?: Pid;
  readonly opener?: Pid;
  readonly mover?: Pid;
  readonly closer?: Pid;
  readonly holder?: Pid;
  readonly sent?: number;
  readonly received?: number;
  readonly unread?: number;
  readonly unsent?: number;
  readonly state?: number;
  readonly fromState?: number;
  readonly error?: number;
  /** ms; null is unknown. */
  readonly first?: number | null;
  readonly last?: number | null;
  readonly more?: WrittenRow<'socket'>;
}

interface TrafficWords {
  /** Effective uid at the first message; unknown by default. */
  readonly uid?: number;
  readonly peer?: string;
  readonly local?: string;
  readonly sent?: number;
  readonly received?: number;
  readonly messagesSent?: number;
  readonly messagesReceived?: number;
  readonly first?: number;
  readonly last?: number;
  readonly final?: boolean;
  readonly firstReceived?: boolean;
  readonly peerUnknown?: boolean;
}

interface WireWords {
  /** Payload bytes and packets. */
  readonly sent?: readonly [bytes: number, packets: number];
  readonly received?: readonly [bytes: number, packets: number];
  readonly final?: boolean;
  readonly part?: boolean;
}

interface ExchangeWords {
  readonly ordinal?: number;
  readonly method?: string;
  readonly target?: string | Uint8Array;
  readonly host?: string;
  readonly agent?: string | Uint8Array;
  readonly status?: number;
  /** ms. */
  readonly start?: number;
  readonly requestEnd?: number;
  readonly responseStart?: number;
  /** ms; null: there was no response. */
  readonly end?: number | null;
  readonly pid?: Pid;
  readonly tid?: number;
  readonly thread?: string;
  readonly flags?: number;
  /** All by default at the end of the server's half. */
  readonly usageFlags?: number;
  readonly more?: WrittenRow<'exchange'>;
}

const UDP_HEADERS = 28;
const MIB = 1024 * 1024;

function identity(pid: Pid | undefined): [pid: number, startNs: number] {
  if (pid === undefined) return [0, 0];
  return typeof pid === 'number' ? [pid, pid * MS] : [pid[0], pid[1] * MS];
}

function place(text: string | undefined): { address?: string; port: number } {
  if (text === undefined) return { port: 0 };
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  return { ...(address === '' ? {} : { address }), port: Number(match?.[3] ?? 0) };
}

/** One batch in the making. */
export class Story {
  private readonly writer = new BatchWriter();

  constructor(public nowMs: number) {}

  private process(kind: number, pid: Pid, words: ProcessWords): this {
    const [parentPid, parentStartNs] = identity(words.parent);
    const [number, startNs] = identity(pid);
    this.writer.add('process', {
      kind,
      pid: number,
      startNs,
      parentPid,
      parentStartNs,
      timeNs: this.nowMs * MS,
      uid: words.uid ?? 0,
      name: words.name ?? null,
      executable: words.exe ?? null,
      arguments: words.args?.join('\0') ?? null,
      cgroup: words.cgroup ?? null,
      exitCode: words.code ?? 0,
      exitSignal: words.signal ?? 0,
      ...(words.totals !== undefined && {
        hasTotals: 1,
        userNs: (words.totals.user ?? 0) * MS,
        systemNs: ((words.totals.cpu ?? 0) - (words.totals.user ?? 0)) * MS,
        peakMemoryBytes: (words.totals.peak ?? 0) * MIB,
        minorFaults: words.totals.minor ?? 0,
        majorFaults: words.totals.major ?? 0,
        readBytes: words.totals.read ?? 0,
        writtenBytes: words.totals.written ?? 0,
      }),
    });
    return this;
  }

  seen(pid: Pid, name: string, words: ProcessWords = {}): this {
    return this.process(PROCESS_KIND.seen, pid, { name, ...words });
  }
  fork(pid: Pid, parent: Pid, words: ProcessWords = {}): this {
    return this.process(PROCESS_KIND.fork, pid, { parent, ...words });
  }
  exec(pid: Pid, name: string, words: ProcessWords = {}): this {
    return this.process(PROCESS_KIND.exec, pid, { name, exe: `/bin/${name}`, args: [name], ...words });
  }
  exit(pid: Pid, words: ProcessWords = {}): this {
    return this.process(PROCESS_KIND.exit, pid, words);
  }
  changed(pid: Pid, words: ProcessWords): this {
    return this.process(PROCESS_KIND.changed, pid, words);
  }

  private socket(kind: number, cookie: number, words: SocketWords): this {
    const local = place(words.from);
    const remote = place(words.to);
    const protocol = words.protocol ?? 6;
    const isTcp = protocol === 6;
    const connected = remote.port !== 0;
    const [creatorPid, creatorStartNs] = identity(words.creator);
    const [openerPid, openerStartNs] = identity(words.opener);
    const [moverPid, moverStartNs] = identity(words.mover);
    const [closerPid, closerStartNs] = identity(words.closer);
    const [holderPid, holderStartNs] = identity(words.holder);
    const sent = words.sent ?? 0;
    const received = words.received ?? 0;
    let flags = 0;
    if (words.passive === true) flags |= SOCKET_FLAG.passive;
    if (words.seeded === true) flags |= SOCKET_FLAG.seeded;
    if (words.listener === true) flags |= SOCKET_FLAG.listener;
    if (words.lost === true) flags |= SOCKET_FLAG.lostEvents;
    if (words.resetSent === true) flags |= SOCKET_FLAG.resetSent;
    if (words.counted ?? words.seeded !== true) flags |= SOCKET_FLAG.messagesCounted;
    if (isTcp && connected) flags |= SOCKET_FLAG.hasTcp;
    const live = isTcp ? (words.listener === true ? TCP_STATE.listen : TCP_STATE.established) : connected ? 1 : 7;
    const ended = kind === SOCKET_KIND.ended;
    this.writer.add('socket', {
      kind,
      family: (words.from ?? words.to ?? '').startsWith('[') ? 10 : protocol === 0 ? 17 : 2,
      type: isTcp ? 1 : protocol === 17 ? 2 : 3,
      state: words.state ?? (ended ? TCP_STATE.close : live),
      fromState: words.fromState ?? (ended ? TCP_STATE.established : 0),
      error: words.error ?? 0,
      protocol,
      flags,
      timeNs: this.nowMs * MS,
      cookie,
      netns: words.netns ?? 4026531840,
      ...(local.address === undefined ? {} : { localAddress: local.address }),
      localPort: local.port,
      ...(remote.address === undefined ? {} : { remoteAddress: remote.address }),
      remotePort: remote.port,
      firstNs: (words.first === undefined ? this.nowMs : (words.first ?? 0)) * MS,
      lastNs: (words.last === undefined ? this.nowMs : (words.last ?? 0)) * MS,
      creatorPid,
      creatorStartNs,
      openerPid,
      openerStartNs,
      moverPid,
      moverStartNs,
      closerPid,
      closerStartNs,
      holderPid,
      holderStartNs,
      bytesSent: sent,
      bytesReceived: received,
      unreadBytes: words.unread ?? 0,
      unsentBytes: words.unsent ?? 0,
      segmentsOut: 2 + (sent > 0 ? 1 : 0),
      segmentsIn: 2 + (received > 0 ? 1 : 0),
      headerBytes: 32,
      rttUs: 100,
      minRttUs: 50,
      ...words.more,
    });
    return this;
  }

  seenSocket(cookie: number, words: SocketWords): this {
    return this.socket(SOCKET_KIND.seen, cookie, words);
  }
  opened(cookie: number, words: SocketWords): this {
    return this.socket(SOCKET_KIND.opened, cookie, words);
  }
  update(cookie: number, words: SocketWords): this {
    return this.socket(SOCKET_KIND.update, cookie, words);
  }
  ended(cookie: number, words: SocketWords): this {
    return this.socket(SOCKET_KIND.ended, cookie, words);
  }
  listens(cookie: number, from: string, words: SocketWords = {}): this {
    return this.socket(SOCKET_KIND.opened, cookie, { from, listener: true, ...words });
  }

  /** What a process moved; IP octets as of UDP over IPv4. */
  moved(cookie: number, pid: Pid | undefined, words: TrafficWords): this {
    const [number, startNs] = identity(pid);
    const peer = place(words.peer);
    const messagesSent = words.messagesSent ?? ((words.sent ?? 0) > 0 ? 1 : 0);
    const messagesReceived = words.messagesReceived ?? ((words.received ?? 0) > 0 ? 1 : 0);
    let flags = 0;
    if (words.final === true) flags |= TRAFFIC_FLAG.final;
    if (words.firstReceived === true) flags |= TRAFFIC_FLAG.firstReceived;
    if (words.peerUnknown === true) flags |= TRAFFIC_FLAG.peerUnknown;
    this.writer.add('traffic', {
      flags,
      timeNs: this.nowMs * MS,
      cookie,
      pid: number,
      startNs,
      uid: words.uid ?? 0xffffffff,
      ...(words.local === undefined ? {} : { localAddress: words.local }),
      ...(peer.address === undefined ? {} : { peerAddress: peer.address }),
      peerPort: peer.port,
      firstNs: (words.first ?? this.nowMs) * MS,
      lastNs: (words.last ?? this.nowMs) * MS,
      sentBytes: words.sent ?? 0,
      sentMessages: messagesSent,
      sentOctets: (words.sent ?? 0) + UDP_HEADERS * messagesSent,
      sentPackets: messagesSent,
      receivedBytes: words.received ?? 0,
      receivedMessages: messagesReceived,
      receivedOctets: (words.received ?? 0) + UDP_HEADERS * messagesReceived,
      receivedPackets: messagesReceived,
    });
    return this;
  }

  private usage(kind: number, pid: Pid, cookie: number, words: ReadingWords): this {
    const [number, startNs] = identity(pid);
    const { memory = 10, peak = memory, io = 0 } = words;
    let flags = 0;
    if (memory !== null) flags |= USAGE_FLAG.memory;
    if (peak !== null) flags |= USAGE_FLAG.peak;
    if (io !== null) flags |= USAGE_FLAG.ioWait;
    if (words.part === true) flags |= USAGE_FLAG.part;
    this.writer.add('usage', {
      kind,
      flags,
      timeNs: (words.at ?? this.nowMs) * MS,
      cookie,
      pid: number,
      startNs,
      threads: 1,
      cpuNs: (words.cpu ?? 0) * MS,
      userNs: (words.user ?? 0) * MS,
      systemNs: ((words.cpu ?? 0) - (words.user ?? 0)) * MS,
      memoryBytes: (memory ?? 0) * MIB,
      peakMemoryBytes: (peak ?? 0) * MIB,
      minorFaults: words.minor ?? 0,
      majorFaults: words.major ?? 0,
      ioWaitNs: (io ?? 0) * MS,
      readBytes: words.read ?? 0,
      writtenBytes: words.written ?? 0,
      voluntarySwitches: words.waits ?? 0,
      involuntarySwitches: words.preempted ?? 0,
    });
    return this;
  }

  sampled(pid: Pid, words: ReadingWords): this {
    return this.usage(USAGE_KIND.sample, pid, 0, words);
  }
  began(cookie: number, pid: Pid, words: ReadingWords): this {
    return this.usage(USAGE_KIND.began, pid, cookie, words);
  }
  stopped(cookie: number, pid: Pid, words: ReadingWords): this {
    return this.usage(USAGE_KIND.ended, pid, cookie, words);
  }

  address(
    address: string,
    words: { netns?: number; interface?: string; index?: number; removed?: boolean } = {},
  ): this {
    this.writer.add('address', {
      netns: words.netns ?? 4026531840,
      address,
      interfaceIndex: words.index ?? 2,
      interfaceName: words.interface ?? 'eth0',
      removed: words.removed === true ? 1 : 0,
    });
    return this;
  }

  lost(place: string, count: number): this {
    this.writer.add('loss', { place, count });
    return this;
  }

  /** What the first packets tell; `confidence` as nDPI numbers it, 4 is what the packets say. */
  detected(cookie: number, name: string, words: WrittenRow<'application'> & { peer?: string } = {}): this {
    const { peer: peerText, ...more } = words;
    const peer = place(peerText);
    this.writer.add('application', {
      timeNs: this.nowMs * MS,
      cookie,
      application: name,
      applicationId: 1,
      confidence: 4,
      dnsReplyCode: -1,
      ...(peer.address === undefined ? {} : { peerAddress: peer.address }),
      peerPort: peer.port,
      ...more,
    });
    return this;
  }

  /** What passed on the wire between a datagram socket and a peer: payload bytes and packets each way. */
  wire(cookie: number, peer: string, words: WireWords): this {
    const { address, port } = place(peer);
    const { sent = [0, 0], received = [0, 0] } = words;
    let flags = 0;
    if (words.final === true) flags |= PEER_FLAG.final;
    if (words.part === true) flags |= PEER_FLAG.part;
    this.writer.add('peer', {
      flags,
      timeNs: this.nowMs * MS,
      cookie,
      ...(address === undefined ? {} : { peerAddress: address }),
      peerPort: port,
      sentBytes: sent[0],
      sentPackets: sent[1],
      sentOctets: sent[0] + UDP_HEADERS * sent[1],
      receivedBytes: received[0],
      receivedPackets: received[1],
      receivedOctets: received[0] + UDP_HEADERS * received[1],
    });
    return this;
  }

  private exchange(kind: number, cookie: number, side: 'client' | 'server', words: ExchangeWords): this {
    const [pid, startNs] = identity(words.pid);
    const start = words.start ?? this.nowMs;
    const isEnd = kind === EXCHANGE_KIND.ended;
    const end = words.end === undefined ? this.nowMs : (words.end ?? 0);
    const spends = isEnd && side === 'server';
    this.writer.add('exchange', {
      kind,
      side: side === 'server' ? 1 : 0,
      version: 11,
      flags: words.flags ?? 0,
      usageFlags: words.usageFlags ?? (spends ? 31 : 0),
      cookie,
      ordinal: words.ordinal ?? 0,
      timeNs: this.nowMs * MS,
      requestStartNs: start * MS,
      requestEndNs: (words.requestEnd ?? start) * MS,
      responseStartNs: isEnd && end !== 0 ? (words.responseStart ?? end) * MS : 0,
      responseEndNs: isEnd ? end * MS : 0,
      method: words.method ?? 'GET',
      target: words.target ?? '/',
      host: words.host ?? null,
      userAgent: words.agent ?? null,
      status: isEnd ? (words.status ?? (end === 0 ? 0 : 200)) : 0,
      requestBytes: isEnd ? 100 : 0,
      responseBytes: isEnd ? 1000 : 0,
      pid,
      startNs,
      tid: words.tid ?? pid,
      threadName: words.thread ?? null,
      windowFromNs: start * MS,
      windowToNs: isEnd ? end * MS : 0,
      ...words.more,
    });
    return this;
  }

  /** One end of a connection tells that a request has come, or was sent. */
  asked(cookie: number, side: 'client' | 'server', words: ExchangeWords = {}): this {
    return this.exchange(EXCHANGE_KIND.started, cookie, side, words);
  }
  /** One end tells that the exchange is over. */
  answered(cookie: number, side: 'client' | 'server', words: ExchangeWords = {}): this {
    return this.exchange(EXCHANGE_KIND.ended, cookie, side, words);
  }

  /** A tier goes on, or off for a reason. */
  tier(name: string, on: boolean, reason: string | null = null): this {
    this.writer.add('tier', { timeNs: this.nowMs * MS, name, on: on ? 1 : 0, reason });
    return this;
  }

  seal(): Batch {
    return decodeBatch(this.writer.seal(this.nowMs * MS, EPOCH_MS * MS));
  }
}

/** What capture says of itself. */
export const CAPTURE: CaptureStatus = {
  source: 'ebpf',
  sourceReason: null,
  tiers: [],
  programRuns: {},
  lastPollMs: null,
  pollIntervalMs: null,
  sampleIntervalMs: null,
  delayAccounting: null,
  governor: null,
  agentCapabilities: { capture: null, others: [] },
};

/** A correlator with a clock and an ear. */
export class Stage {
  nowMs = AGENT_START_MS;
  readonly correlator: Correlator;
  private heard: string[] = [];
  private listening: () => void;

  constructor(options: Partial<CorrelatorOptions> = {}) {
    this.correlator = new Correlator({
      host: { id: 'host', name: 'box', bootId: 'boot', kernel: '6', agentVersion: '0', agentPid: 1, startMicros: 0 },
      flows: { idleTimeoutMs: 30_000, keepEndedMs: 60_000, keepEndedMax: 100_000, maxLive: 1_000_000 },
      processes: { keepExitedMs: 60_000, keepExitedMax: 100_000, redact: [] },
      exchanges: { keepEndedMs: 60_000, keepEndedMax: 100_000, maxLive: 100_000, queryStrings: false, redact: [] },
      resolveUsers: (uids) => Promise.resolve(uids.map(() => null)),
      capture: () => CAPTURE,
      clock: 'batch',
      ...options,
    });
    this.listening = this.correlator.subscribe((fact) => this.heard.push(factText(fact)));
    // What is older than this is from before the agent.
    this.batch(() => undefined);
  }

  /** Tells one batch, `afterMs` after the previous. */
  batch(tell: (story: Story) => unknown, afterMs = 20): this {
    this.nowMs += afterMs;
    const story = new Story(this.nowMs);
    tell(story);
    this.correlator.apply(story.seal());
    this.correlator.flush();
    return this;
  }

  wait(ms: number): this {
    this.nowMs += ms;
    this.correlator.tick(this.nowMs * MS);
    this.correlator.flush();
    return this;
  }

  /** The facts since the last time, as `STARTED curl→nginx`, `EXITED 7`. */
  facts(): string[] {
    const { heard } = this;
    this.heard = [];
    return heard;
  }

  deaf(): this {
    this.listening();
    return this;
  }

  get flows(): Flow[] {
    return [...this.correlator.flows()].sort((a, b) => a.sequence - b.sequence);
  }

  /** The only flow there is. */
  get flow(): Flow {
    const [flow, ...others] = this.flows;
    if (flow === undefined || others.length > 0)
      throw new Error(`${this.flows.length} flows: ${this.flows.map(line).join('; ')}`);
    return flow;
  }

  get exchanges(): Exchange[] {
    return [...this.correlator.exchanges()].sort((a, b) => a.ordinal - b.ordinal);
  }

  /** The only exchange there is. */
  get exchange(): Exchange {
    const [exchange, ...others] = this.exchanges;
    if (exchange === undefined || others.length > 0) throw new Error(`${this.exchanges.length} exchanges`);
    return exchange;
  }

  process(pid: number): Process {
    const lives = [...this.correlator.processes()].filter((process) => process.pid === pid);
    const last = lives.sort((a, b) => a.startNs - b.startNs).at(-1);
    if (last === undefined) throw new Error(`no process ${pid}`);
    return last;
  }
}

function factText(fact: Fact): string {
  if (fact.kind === 'exchange') return `${fact.event} ${fact.exchange.method} ${fact.exchange.target}`;
  if (fact.kind !== 'flow') return `${fact.event} ${fact.process.pid} ${fact.process.name}`.trim();
  return `${fact.event} ${ends(fact.flow)}`;
}

function ends(flow: Flow): string {
  return `${flow.client.process?.name ?? '?'}→${flow.server.process?.name ?? '?'}`;
}

/**
 * A flow in one line, such as `TCP 10.0.0.1:5000 curl →5 ←3 10.0.0.2:80 nginx OPEN LOCAL`: the ends with their processes,
 * the payload each way, state (or end reason) and direction.
 */
export function line(flow: Flow): string {
  const end = (endpoint: Flow['client']): string => {
    const host = endpoint.address.includes(':') ? `[${endpoint.address}]` : endpoint.address;
    const port = endpoint.port === null ? '' : `:${endpoint.port}`;
    return `${host}${port} ${endpoint.process?.name ?? '?'}`;
  };
  const amount = (bytes: number | null): string => String(bytes ?? '?');
  const sizes = `→${amount(flow.client.sent.payloadBytes)} ←${amount(flow.server.sent.payloadBytes)}`;
  const state: FlowEndReason | Flow['state'] = flow.endReason ?? flow.state;
  return `${flow.protocol} ${end(flow.client)} ${sizes} ${end(flow.server)} ${state} ${flow.direction}`;
}

/** What every flow has as long as nothing is told of the packets tier. */
const WITHOUT_PACKETS: ReadonlySet<string> = new Set(['TCP_FLAGS_TIER_OFF', 'APPLICATION_TIER_OFF']);

export function notes(flow: Flow): string {
  return noteCodes(flow.noteBits)
    .filter((note) => !WITHOUT_PACKETS.has(note))
    .join(' ');
}

/** The fields of an object without its class, to be compared with a literal. */
export function plain(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object));
}

/** What an end has sent. */
export function sentBy({ sent }: Flow['client']): Record<string, unknown> {
  const { octets, packets, payloadBytes, messages, retransmittedPackets, octetsDerived, tcpFlags } = sent;
  return { octets, packets, payloadBytes, messages, retransmittedPackets, octetsDerived, tcpFlags };
}

/** Who moved what on an end: `nginx 5/3` is sent and received. */
export function shares(endpoint: Flow['client']): string {
  return endpoint.shares
    .map((share) => `${share.process.name} ${share.sentPayloadBytes}/${share.receivedPayloadBytes}`)
    .sort()
    .join(', ');
}
