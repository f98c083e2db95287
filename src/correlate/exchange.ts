/** An exchange: one request and its response within a flow. */
import { EXCHANGE_FLAG, USAGE_FLAG } from '../capture/layout.js';
import { HALF_NUMBER, NUMBER } from './exchange-numbers.js';
import type { FlowExchanges } from './exchange-table.js';
import type { Endpoint, Flow, Process } from './model.js';
import { Usage } from './usage.js';

/** What became of an exchange. */
export type ExchangeOutcome = 'ANSWERED' | 'UNANSWERED' | 'INCOMPLETE' | 'UPGRADED' | 'UNKNOWN';

/** Why something about an exchange is unknown or not exact; a closed list, described in the GraphQL schema. */
export type ExchangeNoteCode =
  | 'SERVER_REMOTE'
  | 'SERVER_NOT_SEEN'
  | 'CLIENT_NOT_SEEN'
  | 'USAGE_UNKNOWN'
  | 'THREAD_USAGE_UNKNOWN'
  | 'PEAK_MEMORY_UNKNOWN'
  | 'IO_WAIT_NOT_ACCOUNTED'
  | 'WINDOW_CUT'
  | 'HEAD_CUT'
  | 'END_UNKNOWN'
  | 'MESSAGES_TIER_SHED'
  | 'EVENTS_LOST';

export const EXCHANGE_NOTE_CODES: readonly ExchangeNoteCode[] = [
  'SERVER_REMOTE',
  'SERVER_NOT_SEEN',
  'CLIENT_NOT_SEEN',
  'USAGE_UNKNOWN',
  'THREAD_USAGE_UNKNOWN',
  'PEAK_MEMORY_UNKNOWN',
  'IO_WAIT_NOT_ACCOUNTED',
  'WINDOW_CUT',
  'HEAD_CUT',
  'END_UNKNOWN',
  'MESSAGES_TIER_SHED',
  'EVENTS_LOST',
];

/** The thread that served an exchange. */
export interface Thread {
  readonly tid: number;
  /** comm: printable, at most 15 bytes in the kernel; null when it is not known. */
  readonly name: string | null;
}

/** What is known of an exchange so far, in `Exchange.bits`. */
export const EXCHANGE_BIT = {
  clientStarted: 1,
  clientEnded: 2,
  serverStarted: 4,
  serverEnded: 8,
  /** Nothing more is waited for. */
  over: 16,
  /** Waits to be told of. */
  changed: 32,
  toldEnd: 64,
  /** Waits for what the other end has to tell. */
  waits: 128,
  /** It was forgotten. */
  gone: 256,
  /** HTTP/1.0. */
  old: 512,
  toldStart: 1024,
  /** The messages tier was put off before its end. */
  cut: 2048,
} as const;
/** Above them the flags of both halves, and those of the usage. */
const CLIENT_FLAGS = 12;
const SERVER_FLAGS = 18;
const USAGE_FLAGS = 24;
const ALL_FLAGS = 63;

export class Exchange {
  method = '';
  /** Without its query string, unless those are wanted. */
  target = '';
  hostHeader: string | null = null;
  userAgent: string | null = null;
  /** 0 as long as there is none. */
  statusCode = 0;
  /** Who was seen to send the request, and to serve it. */
  clientProcess: Process | null = null;
  serverProcess: Process | null = null;
  tid = 0;
  threadName: string | null = null;
  /** The end that serves it: mostly the flow's server. */
  serverEnd: Endpoint;
  /** {@link EXCHANGE_BIT} and flags. */
  bits = 0;

  constructor(
    /** Those of its flow. */
    private readonly siblings: FlowExchanges,
    /** Rises by one with each request of its connection, from 0, or from a higher number once messages were left out. */
    readonly ordinal: number,
    readonly numbers: Float64Array,
    readonly offset: number,
  ) {
    this.serverEnd = siblings.flow.server;
  }

  /** Opaque global id. */
  get id(): string {
    return this.siblings.idPrefix + this.ordinal.toString(36);
  }

  get flow(): Flow {
    return this.siblings.flow;
  }

  get protocol(): string {
    return this.has(EXCHANGE_BIT.old) ? 'HTTP/1.0' : 'HTTP/1.1';
  }

  get status(): number | null {
    return this.statusCode === 0 ? null : this.statusCode;
  }

  has(bit: number): boolean {
    return (this.bits & bit) !== 0;
  }

  /** First byte of the request: at the client if it is on this host, else at the server. */
  get startMicros(): number {
    const client = this.numbers[this.offset + NUMBER.client + HALF_NUMBER.requestStart] as number;
    const server = this.numbers[this.offset + NUMBER.server + HALF_NUMBER.requestStart] as number;
    if (client === 0 || server === 0) return client + server;
    // A sender is seen after its call: the receiver may have run before that.
    return Math.min(client, server);
  }

  get requestEndMicros(): number | null {
    return this.firstSeen(HALF_NUMBER.requestEnd);
  }

  get firstResponseByteMicros(): number | null {
    return this.firstSeen(HALF_NUMBER.responseStart);
  }

  /** Last byte of the response, or when the connection gave up; null while it lasts. */
  get endMicros(): number | null {
    if (!this.has(EXCHANGE_BIT.over)) return null;
    const end = this.firstSeen(HALF_NUMBER.responseEnd) ?? (this.numbers[this.offset + NUMBER.over] as number);
    return Math.max(end, this.startMicros);
  }

  get durationMs(): number | null {
    const end = this.endMicros;
    return end === null ? null : (end - this.startMicros) / 1000;
  }

  /** From the first byte of the request to the last of the response, as the server saw them. */
  get serverTimeMs(): number | null {
    const from = this.numbers[this.offset + NUMBER.server + HALF_NUMBER.requestStart] as number;
    const to = this.numbers[this.offset + NUMBER.server + HALF_NUMBER.responseEnd] as number;
    return from === 0 || to === 0 ? null : (to - from) / 1000;
  }

  get requestBytes(): number | null {
    return this.amount(HALF_NUMBER.requestBytes);
  }

  get responseBytes(): number | null {
    return this.amount(HALF_NUMBER.responseBytes);
  }

  /** The end that sends the request. */
  get clientEnd(): Endpoint {
    return this.serverEnd === this.flow.server ? this.flow.client : this.flow.server;
  }

  /** Who sent it; null when remote. */
  get client(): Process | null {
    return this.clientProcess ?? this.clientEnd.process;
  }

  /** Who served it; null when remote. */
  get server(): Process | null {
    return this.serverProcess ?? this.serverEnd.process;
  }

  /** The thread that took the request; null when the server is remote. */
  get thread(): Thread | null {
    return this.tid === 0 ? null : { tid: this.tid, name: this.threadName };
  }

  /** What the serving process spent from the request's first byte to the response's last. */
  get usage(): Usage | null {
    if (!this.has(EXCHANGE_BIT.serverEnded) || (this.usageFlags & USAGE_FLAG.process) === 0) return null;
    const at = this.offset + NUMBER.spent;
    const usage = this.window();
    this.fill(usage, at, at + 5);
    if ((this.usageFlags & USAGE_FLAG.memory) !== 0) usage.memoryBytes = this.numbers[at + 3] as number;
    if ((this.usageFlags & USAGE_FLAG.peak) !== 0) usage.peakMemoryBytes = this.numbers[at + 4] as number;
    return usage;
  }

  /** What the serving thread spent of it; memory is its process's. */
  get threadUsage(): Usage | null {
    if (!this.has(EXCHANGE_BIT.serverEnded) || (this.usageFlags & USAGE_FLAG.thread) === 0) return null;
    const at = this.offset + NUMBER.threadSpent;
    const usage = this.window();
    this.fill(usage, at, at + 3);
    return usage;
  }

  get outcome(): ExchangeOutcome | null {
    if (!this.has(EXCHANGE_BIT.over)) return null;
    if (!this.has(EXCHANGE_BIT.clientEnded | EXCHANGE_BIT.serverEnded)) return 'UNKNOWN';
    const flags = this.has(EXCHANGE_BIT.clientEnded) ? this.clientFlags : this.serverFlags;
    if ((flags & EXCHANGE_FLAG.upgraded) !== 0) return 'UPGRADED';
    if ((flags & EXCHANGE_FLAG.unanswered) !== 0) return 'UNANSWERED';
    return (flags & EXCHANGE_FLAG.incomplete) !== 0 ? 'INCOMPLETE' : 'ANSWERED';
  }

  get clientFlags(): number {
    return (this.bits >> CLIENT_FLAGS) & ALL_FLAGS;
  }

  get serverFlags(): number {
    return (this.bits >> SERVER_FLAGS) & ALL_FLAGS;
  }

  /** {@link USAGE_FLAG} bits of the serving half. */
  get usageFlags(): number {
    return (this.bits >> USAGE_FLAGS) & 31;
  }

  addFlags(isServer: boolean, flags: number): void {
    this.bits |= (flags & ALL_FLAGS) << (isServer ? SERVER_FLAGS : CLIENT_FLAGS);
  }

  /** What was known of the client's half is the other's. */
  moveClientBits(to: Exchange): void {
    const half = EXCHANGE_BIT.clientStarted | EXCHANGE_BIT.clientEnded | (ALL_FLAGS << CLIENT_FLAGS);
    to.bits |= this.bits & half;
    this.bits &= ~half;
  }

  setUsageFlags(flags: number): void {
    this.bits = (this.bits & ((1 << USAGE_FLAGS) - 1)) | ((flags & 31) << USAGE_FLAGS);
  }

  /** Of two halves the client's view counts, as far as it has one. */
  private firstSeen(number: number): number | null {
    const client = this.numbers[this.offset + NUMBER.client + number] as number;
    const seen = client === 0 ? (this.numbers[this.offset + NUMBER.server + number] as number) : client;
    return seen === 0 ? null : seen;
  }

  private amount(number: number): number | null {
    if (this.has(EXCHANGE_BIT.clientEnded)) return this.numbers[this.offset + NUMBER.client + number] as number;
    if (this.has(EXCHANGE_BIT.serverEnded)) return this.numbers[this.offset + NUMBER.server + number] as number;
    return null;
  }

  private window(): Usage {
    return new Usage({
      from: this.numbers[this.offset + NUMBER.windowFrom] as number,
      to: this.numbers[this.offset + NUMBER.windowTo] as number,
    });
  }

  /** CPU times are at `at`, the counters at `counters`, in the order of the table. */
  private fill(usage: Usage, at: number, counters: number): void {
    const number = (index: number): number => this.numbers[index] as number;
    usage.cpuTimeMs = number(at) / 1e6;
    usage.userMs = number(at + 1) / 1e6;
    usage.systemMs = number(at + 2) / 1e6;
    usage.minorFaults = number(counters);
    usage.majorFaults = number(counters + 1);
    usage.ioWaitMs = (this.usageFlags & USAGE_FLAG.ioWait) === 0 ? null : number(counters + 2) / 1e6;
    usage.readBytes = number(counters + 3);
    usage.writtenBytes = number(counters + 4);
    usage.voluntarySwitches = number(counters + 5);
    usage.involuntarySwitches = number(counters + 6);
  }
}

/** What about an exchange is unknown or not exact, and why. */
export function exchangeNotes(exchange: Exchange): ExchangeNoteCode[] {
  const flags = exchange.clientFlags | exchange.serverFlags;
  const isOver = exchange.has(EXCHANGE_BIT.over);
  const isServed = exchange.has(EXCHANGE_BIT.serverStarted);
  const isMeasured = isServed && exchange.has(EXCHANGE_BIT.serverEnded);
  const can = (flag: number): boolean => (exchange.usageFlags & flag) !== 0;
  const usageKnown = isMeasured && can(USAGE_FLAG.process);
  const holds: Readonly<Record<ExchangeNoteCode, boolean>> = {
    SERVER_REMOTE: !isServed && !exchange.serverEnd.local,
    SERVER_NOT_SEEN: !isServed && isOver && exchange.serverEnd.local,
    CLIENT_NOT_SEEN: !exchange.has(EXCHANGE_BIT.clientStarted) && isOver && exchange.clientEnd.local,
    USAGE_UNKNOWN: isOver && isServed && !usageKnown,
    THREAD_USAGE_UNKNOWN: usageKnown && !can(USAGE_FLAG.thread),
    PEAK_MEMORY_UNKNOWN: usageKnown && !can(USAGE_FLAG.peak),
    IO_WAIT_NOT_ACCOUNTED: usageKnown && !can(USAGE_FLAG.ioWait),
    WINDOW_CUT: usageKnown && (exchange.serverFlags & EXCHANGE_FLAG.windowCut) !== 0,
    HEAD_CUT: (flags & EXCHANGE_FLAG.headCut) !== 0,
    END_UNKNOWN: exchange.outcome === 'UNKNOWN',
    MESSAGES_TIER_SHED: exchange.has(EXCHANGE_BIT.cut),
    EVENTS_LOST: (flags & EXCHANGE_FLAG.lost) !== 0,
  };
  return EXCHANGE_NOTE_CODES.filter((code) => holds[code]);
}
