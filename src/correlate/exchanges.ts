/** Rules for exchanges: what the rows of each end say of them. */
import type { Batch } from '../capture/batch.js';
import { EXCHANGE_KIND } from '../capture/layout.js';
import { EXCHANGE_BIT, type Exchange } from './exchange.js';
import { HALF_NUMBER, HALF_NUMBERS, NUMBER, SPENT_COLUMNS, THREAD_SPENT_COLUMNS } from './exchange-numbers.js';
import type { ExchangeTable, FlowExchanges } from './exchange-table.js';
import { StreamSocket } from './halves.js';
import type { Flow } from './model.js';
import { NOTE } from './owners.js';
import { makeTargetCutter, type TargetRules } from './request-target.js';
import { SharedTexts } from './shared-texts.js';
import type { Tables } from './tables.js';
import { otherEnd } from './tuples.js';

/** Rows whose socket's row has not come keep their batch in memory: few of them, and not for long. */
const MAX_ASIDE_ROWS = 4096;
const MAX_ASIDE_BATCHES = 16;
const MAX_ASIDE_NS = 5e9;
/** What is longer is cut: heads come from outside. */
const MAX_METHOD_LENGTH = 32;
const MAX_TARGET_LENGTH = 1024;
const MAX_HEADER_LENGTH = 256;

/** The rows of one batch. */
export class ExchangeRows {
  /** Targets as they are shown, by the index of their string: many come more than once. */
  readonly targets: (string | undefined)[] = [];
  readonly spent: readonly Float64Array[];
  readonly threadSpent: readonly Float64Array[];

  constructor(readonly batch: Batch) {
    this.spent = SPENT_COLUMNS.map((column) => batch.exchange[column]);
    this.threadSpent = THREAD_SPENT_COLUMNS.map((column) => batch.exchange[column]);
  }
}

interface AsideRow {
  readonly rows: ExchangeRows;
  readonly row: number;
}

export class Exchanges {
  private readonly methods = new SharedTexts(MAX_METHOD_LENGTH);
  private readonly headers = new SharedTexts(MAX_HEADER_LENGTH);
  private readonly targets = new SharedTexts(MAX_TARGET_LENGTH);
  private cut: (target: string) => string;
  /** Sockets that were heard of: the end of an exchange may be told after the end of its connection. */
  private readonly connections = new Map<number, StreamSocket>();
  /** Rows that came before their socket's row, by cookie. */
  private readonly aside = new Map<number, AsideRow[]>();
  private asideCount = 0;
  /** Batches of which rows wait, oldest first. */
  private readonly asideBatches = new Set<Batch>();
  private lostRows = 0;

  constructor(
    readonly table: ExchangeTable,
    rules: TargetRules,
  ) {
    this.cut = makeTargetCutter(rules);
    table.forgotten = (list) => {
      for (const cookie of list.cookies) {
        if (this.connections.get(cookie)?.flow === list.flow) this.connections.delete(cookie);
      }
    };
  }

  /** Takes over what may be configured anew; what is shown already stays as it is. */
  reconfigure(rules: TargetRules): void {
    this.cut = makeTargetCutter(rules);
  }

  /** Rows whose connection never showed up. */
  get lost(): number {
    return this.lostRows;
  }

  /** Sockets that are remembered for what may yet be told of them. */
  get connectionCount(): number {
    return this.connections.size;
  }

  get waitingRows(): number {
    return this.asideCount;
  }

  apply(tables: Tables, rows: ExchangeRows, row: number): void {
    const cookie = rows.batch.exchange.cookie[row] as number;
    const socket = tables.sockets.get(cookie) ?? this.connections.get(cookie);
    if (socket instanceof StreamSocket && socket.flow !== null) this.take(tables, rows, row, socket, socket.flow);
    else if (socket === undefined) this.setAside(cookie, { rows, row });
    else this.lostRows++;
  }

  /** Applies what came before its socket, now that the sockets of another batch are known. */
  retry(tables: Tables): void {
    for (const [cookie, waiting] of this.aside) {
      const isLate = tables.clock.nowNs - (waiting[0]?.rows.batch.readBootNs ?? 0) > MAX_ASIDE_NS;
      if (tables.sockets.get(cookie) !== undefined) {
        this.forgetAside(cookie, waiting);
        for (const { rows, row } of waiting) this.apply(tables, rows, row);
      } else if (isLate) this.dropAside(cookie, waiting);
    }
    if (this.aside.size === 0) this.asideBatches.clear();
  }

  private setAside(cookie: number, late: AsideRow): void {
    this.asideBatches.add(late.rows.batch);
    const isFull = this.asideCount >= MAX_ASIDE_ROWS || this.asideBatches.size > MAX_ASIDE_BATCHES;
    if (isFull) {
      for (const [other, waiting] of this.aside) this.dropAside(other, waiting);
      this.asideBatches.clear();
      this.asideBatches.add(late.rows.batch);
    }
    const others = this.aside.get(cookie);
    this.asideCount++;
    if (others === undefined) this.aside.set(cookie, [late]);
    else others.push(late);
  }

  private forgetAside(cookie: number, waiting: readonly AsideRow[]): void {
    this.aside.delete(cookie);
    this.asideCount -= waiting.length;
  }

  private dropAside(cookie: number, waiting: readonly AsideRow[]): void {
    this.forgetAside(cookie, waiting);
    this.lostRows += waiting.length;
  }

  private take(tables: Tables, rows: ExchangeRows, row: number, socket: StreamSocket, flow: Flow): void {
    const { exchange: table } = rows.batch;
    const isServer = table.side[row] === 1;
    // The ordinals of a connection from before the agent count from the agent's start.
    const list = this.table.of(flow, flow.startedBefore ? Math.round(tables.clock.firstNs / 1e6) : 0);
    if (!(isServer ? list.serverSeen : list.clientSeen)) this.meet(list, socket, isServer);
    const ordinal = (table.ordinal[row] as number) + (isServer ? 0 : list.clientLag);
    const isEnd = table.kind[row] === EXCHANGE_KIND.ended;
    const micros = tables.clock.micros(table.timeNs[row] as number);
    if (isEnd) this.endEarlier(tables, list, ordinal, isServer, micros);
    const exchange = this.table.get(list, ordinal);
    if (exchange === null) return;
    if (exchange.bits === 0 && socket.endpoint !== null) {
      exchange.serverEnd = isServer ? socket.endpoint : otherEnd(flow, socket.endpoint);
    }
    this.readHead(exchange, rows, row);
    readHalf(tables, exchange, rows, row, isServer, isEnd);
    this.table.touch(exchange);
    if (!isEnd) return;
    if (!isServer && isLagging(list, exchange)) this.moveClient(tables, list, exchange, micros);
    this.settle(tables, list, exchange, micros);
  }

  /** One end of the flow is heard of for the first time. */
  private meet(list: FlowExchanges, socket: StreamSocket, isServer: boolean): void {
    if (isServer) list.serverSeen = true;
    else list.clientSeen = true;
    list.cookies.push(socket.cookie);
    this.connections.set(socket.cookie, socket);
  }

  private readHead(exchange: Exchange, rows: ExchangeRows, row: number): void {
    if (exchange.method !== '') return;
    const { exchange: table } = rows.batch;
    exchange.method = this.textOf(rows, this.methods, table.method[row] as number) ?? '';
    exchange.target = this.targetOf(rows, table.target[row] as number);
    exchange.hostHeader = this.textOf(rows, this.headers, table.host[row] as number);
    exchange.userAgent = this.textOf(rows, this.headers, table.userAgent[row] as number);
    if (table.version[row] === 10) exchange.bits |= EXCHANGE_BIT.old;
  }

  private textOf(rows: ExchangeRows, texts: SharedTexts, index: number): string | null {
    const text = rows.batch.text(index);
    return text === null ? null : texts.get(text);
  }

  private targetOf(rows: ExchangeRows, index: number): string {
    const known = rows.targets[index];
    if (known !== undefined) return known;
    const target = rows.batch.text(index) ?? '';
    const shown = this.cut(target);
    return (rows.targets[index] = this.targets.get(shown, shown !== target));
  }

  /** With the end of an exchange at one end of the connection, everything before it is over there, too. */
  private endEarlier(tables: Tables, list: FlowExchanges, ordinal: number, isServer: boolean, micros: number): void {
    const before = isServer ? list.serverEndedUpTo : list.clientEndedUpTo;
    if (ordinal <= before) return;
    if (isServer) list.serverEndedUpTo = ordinal;
    else list.clientEndedUpTo = ordinal;
    if (ordinal - before === 1) return;
    for (const earlier of list.all.values()) {
      if (earlier.ordinal > before && earlier.ordinal < ordinal) this.settle(tables, list, earlier, micros);
    }
  }

  /** Ends the exchange when both of its halves have said all, or one is not to be had. */
  private settle(tables: Tables, list: FlowExchanges, exchange: Exchange, micros: number): void {
    const { ordinal } = exchange;
    const clientDone = exchange.has(EXCHANGE_BIT.clientEnded) || list.clientEndedUpTo > ordinal;
    const serverDone = exchange.has(EXCHANGE_BIT.serverEnded) || list.serverEndedUpTo > ordinal;
    if (clientDone && serverDone) {
      this.table.finish(exchange, micros);
      return;
    }
    if (exchange.has(clientDone ? EXCHANGE_BIT.serverStarted : EXCHANGE_BIT.clientStarted)) return;
    const missing = clientDone ? exchange.serverEnd : exchange.clientEnd;
    if (!missing.local || list.isOneSided) this.table.finish(exchange, micros);
    else this.table.wait(exchange, tables.clock.nowNs + tables.rules.mateWaitMs * 1e6);
  }

  /** The client's half belongs to the next exchange, and so do all that follow. */
  private moveClient(tables: Tables, list: FlowExchanges, from: Exchange, micros: number): void {
    const to = list.all.get(from.ordinal + 1);
    if (to === undefined) return;
    list.clientLag++;
    list.clientEndedUpTo = to.ordinal;
    to.clientProcess = from.clientProcess;
    from.clientProcess = null;
    const at = from.offset + NUMBER.client;
    for (let i = 0; i < HALF_NUMBERS; i++) {
      to.numbers[to.offset + NUMBER.client + i] = from.numbers[at + i] as number;
      from.numbers[at + i] = 0;
    }
    from.moveClientBits(to);
    this.table.touch(to);
    this.settle(tables, list, to, micros);
  }
}

/**
 * Of a connection from before the agent, or before it was followed again, the client may have sent its first request before somebody looked, and its server
 * taken it after that. Then the server has begun with the next request before the client had its response, which it only
 * could if the client had sent that one already.
 */
function isLagging(list: FlowExchanges, exchange: Exchange): boolean {
  const wasMissed = list.flow.startedBefore || (list.flow.noteBits & NOTE.messagesTierShed) !== 0;
  if (!wasMissed || !exchange.has(EXCHANGE_BIT.serverStarted)) return false;
  const next = list.all.get(exchange.ordinal + 1);
  if (next === undefined || next.has(EXCHANGE_BIT.clientStarted) || !next.has(EXCHANGE_BIT.serverStarted)) return false;
  const nextStart = next.numbers[next.offset + NUMBER.server + HALF_NUMBER.requestStart] as number;
  return nextStart < (exchange.numbers[exchange.offset + NUMBER.client + HALF_NUMBER.responseEnd] as number);
}

/** What one end saw of the exchange; the row of its end has all of it. */
function readHalf(
  tables: Tables,
  exchange: Exchange,
  rows: ExchangeRows,
  row: number,
  isServer: boolean,
  isEnd: boolean,
): void {
  const { exchange: table } = rows.batch;
  const { numbers, offset } = exchange;
  const { clock, processes } = tables;
  const at = offset + (isServer ? NUMBER.server : NUMBER.client);
  const time = (ns: number): number => (ns === 0 ? 0 : clock.micros(ns));
  numbers[at + HALF_NUMBER.requestStart] = time(table.requestStartNs[row] as number);
  numbers[at + HALF_NUMBER.requestEnd] = time(table.requestEndNs[row] as number);
  const process = processes.reference(table.pid[row] as number, table.startNs[row] as number);
  if (isServer) {
    exchange.serverProcess = process ?? exchange.serverProcess;
    exchange.tid = table.tid[row] as number;
    const name = rows.batch.text(table.threadName[row] as number);
    if (name !== null) exchange.threadName = processes.shared(name);
  } else exchange.clientProcess = process ?? exchange.clientProcess;
  exchange.addFlags(isServer, table.flags[row] as number);
  exchange.bits |= isServer ? EXCHANGE_BIT.serverStarted : EXCHANGE_BIT.clientStarted;
  if (!isEnd) return;
  exchange.bits |= isServer ? EXCHANGE_BIT.serverEnded : EXCHANGE_BIT.clientEnded;
  numbers[at + HALF_NUMBER.responseStart] = time(table.responseStartNs[row] as number);
  numbers[at + HALF_NUMBER.responseEnd] = time(table.responseEndNs[row] as number);
  numbers[at + HALF_NUMBER.requestBytes] = table.requestBytes[row] as number;
  numbers[at + HALF_NUMBER.responseBytes] = table.responseBytes[row] as number;
  const status = table.status[row] as number;
  if (status !== 0) exchange.statusCode = status;
  if (!isServer) return;
  exchange.setUsageFlags(table.usageFlags[row] as number);
  numbers[offset + NUMBER.windowFrom] = time(table.windowFromNs[row] as number);
  numbers[offset + NUMBER.windowTo] = time(table.windowToNs[row] as number);
  copy(rows.spent, row, numbers, offset + NUMBER.spent);
  copy(rows.threadSpent, row, numbers, offset + NUMBER.threadSpent);
}

function copy(columns: readonly Float64Array[], row: number, to: Float64Array, at: number): void {
  for (let i = 0; i < columns.length; i++) to[at + i] = (columns[i] as Float64Array)[row] as number;
}
