/** The order in which the rows of one batch are applied. */
import type { Batch } from '../capture/batch.js';
import { PROCESS_KIND, SOCKET_FLAG } from '../capture/layout.js';
import { isUnspecified } from '../capture/address.js';
import { applyBoundRow, applyBoundTraffic } from './datagram.js';
import { finishBound, finishStream } from './ends.js';
import { ExchangeRows } from './exchanges.js';
import { BoundSocket, StreamSocket } from './halves.js';
import { applyStreamRow, applyStreamTraffic } from './stream.js';
import type { Tables } from './tables.js';
import { noteShed } from './tiers.js';
import { TrafficRow } from './traffic-row.js';
import { resolveUnknown } from './unknown-peers.js';
import { applyWirePeer } from './wire-peers.js';

const TCP = 6;
/** Traffic that came before its socket: as many rows as may be under way at once. */
const MAX_ASIDE_ROWS = 8192;
const MAX_ASIDE_NS = 30e9;
/** After so many steps the caller gets a chance to look at the time. */
const STEPS = 64;

const trafficRow = new TrafficRow();

/**
 * Applies a batch, pausing every few rows. Processes come first, since the other rows refer to them; sockets before
 * their traffic, and what was read when their use began; what packets and requests tell after both; then ends of
 * sockets, and ends of processes last, so that whoever ended had everything it did.
 */
export function* applyRows(tables: Tables, batch: Batch, losses: Map<string, number>): Generator<void, void> {
  let steps = 0;
  for (let row = 0; row < batch.loss.rows; row++) {
    losses.set(batch.text(batch.loss.place[row] as number) ?? '', batch.loss.count[row] as number);
  }
  for (let row = 0; row < batch.tier.rows; row++) {
    yield* applyTierRow(tables, batch, row);
    if (batch.text(batch.tier.name[row] as number) === 'resources') tables.usage.isOn = batch.tier.on[row] === 1;
  }
  let gained = false;
  for (let row = 0; row < batch.address.rows; row++) {
    gained = tables.namespaces.apply(batch, row) || gained;
    if (++steps % STEPS === 0) yield;
  }
  if (gained) tables.targets.reconsider();
  for (let row = 0; row < batch.process.rows; row++) {
    if (batch.process.kind[row] !== PROCESS_KIND.exit) tables.processes.apply(batch, row);
    else tables.usage.exiting(tables, batch, row);
    if (++steps % STEPS === 0) yield;
  }
  for (let row = 0; row < batch.socket.rows; row++) {
    applySocketRow(tables, batch, row);
    if (++steps % STEPS === 0) yield;
  }
  if (tables.exchanges.waitingRows > 0) tables.exchanges.retry(tables);
  for (let row = 0; row < batch.usage.rows; row++) {
    tables.usage.begin(tables, batch, row);
    if (++steps % STEPS === 0) yield;
  }
  for (let row = 0; row < batch.traffic.rows; row++) {
    applyTrafficRow(tables, trafficRow.read(batch, row, tables.texts));
    if (++steps % STEPS === 0) yield;
  }
  for (let row = 0; row < batch.peer.rows; row++) {
    applyWirePeer(tables, batch, row);
    if (++steps % STEPS === 0) yield;
  }
  for (const socket of [...tables.unresolved]) resolveUnknown(tables, socket, false);
  for (let row = 0; row < batch.application.rows; row++) {
    tables.detections.apply(tables, batch, row);
    if (++steps % STEPS === 0) yield;
  }
  if (batch.exchange.rows > 0) {
    const rows = new ExchangeRows(batch);
    for (let row = 0; row < batch.exchange.rows; row++) {
      tables.exchanges.apply(tables, rows, row);
      if (++steps % STEPS === 0) yield;
    }
  }
  // What has come of them by now is all.
  const { table } = tables.exchanges;
  if (tables.tiers.areExchangesShed && (table.live > 0 || batch.tier.rows > 0)) table.cutAll(tables.clock.nowMicros);
  for (let row = 0; row < batch.usage.rows; row++) {
    tables.usage.end(tables, batch, row);
    if (++steps % STEPS === 0) yield;
  }
  const { endings } = tables;
  tables.endings = [];
  for (const { socket, row } of endings) {
    if (socket instanceof StreamSocket) finishStream(tables, batch, row, socket);
    else {
      resolveUnknown(tables, socket, true);
      finishBound(tables, batch, row, socket);
    }
    if (++steps % STEPS === 0) yield;
  }
  for (let row = 0; row < batch.process.rows; row++) {
    if (batch.process.kind[row] === PROCESS_KIND.exit) {
      const process = tables.processes.exit(batch, row);
      if (process !== null) tables.usage.exited(process, batch, row);
    }
    if (++steps % STEPS === 0) yield;
  }
  tables.usage.exitsDone();
}

/** Flows that live when a tier is put off lack what it would have told. */
function* applyTierRow(tables: Tables, batch: Batch, row: number): Generator<void, void> {
  const notes = tables.tiers.apply(batch, row, tables.clock.micros(batch.tier.timeNs[row] as number));
  if (notes === null) return;
  let steps = 0;
  for (const flow of tables.flows.all()) {
    if (++steps % STEPS === 0) yield;
    if (flow.state === 'ENDED') continue;
    const bits = flow.protocol === 'TCP' ? notes.tcp : flow.protocol === 'UDP' ? notes.udp : 0;
    noteShed(flow, bits);
  }
}

function applySocketRow(tables: Tables, batch: Batch, row: number): void {
  const table = batch.socket;
  const cookie = table.cookie[row] as number;
  if (cookie === 0) return;
  const known = tables.sockets.get(cookie);
  const isStream = table.protocol[row] === TCP && isConnection(batch, row);
  if (isStream) {
    // Bound first and connected later: the port it held is now its end of the connection.
    if (known instanceof BoundSocket) tables.listeners.remove(known);
    applyStreamRow(tables, batch, row, known instanceof StreamSocket ? known : undefined);
  } else if (known instanceof StreamSocket) {
    // A connection whose addresses the kernel has cleared: only its end is news.
    applyStreamRow(tables, batch, row, known);
  } else applyBoundRow(tables, batch, row, known);
  tables.usage.adopt(tables, cookie);
  const waiting = tables.aside.get(cookie);
  if (waiting === undefined || tables.sockets.get(cookie) === undefined) return;
  tables.aside.delete(cookie);
  tables.asideRows -= waiting.length;
  for (const early of waiting) applyTrafficRow(tables, early);
}

function isConnection(batch: Batch, row: number): boolean {
  const { socket } = batch;
  if (((socket.flags[row] as number) & SOCKET_FLAG.listener) !== 0) return false;
  return socket.remotePort[row] !== 0 && !isUnspecified(socket.remoteAddress, row);
}

function applyTrafficRow(tables: Tables, row: TrafficRow): void {
  const socket = tables.sockets.get(row.cookie);
  if (socket instanceof StreamSocket) applyStreamTraffic(tables, socket, row);
  else if (socket instanceof BoundSocket) {
    if (socket.protocolNumber !== TCP) applyBoundTraffic(tables, socket, row);
  } else setAside(tables, row);
}

function setAside(tables: Tables, row: TrafficRow): void {
  if (row.cookie === 0 || tables.endedCookies.has(row.cookie)) return;
  if (tables.asideRows >= MAX_ASIDE_ROWS) dropAside(tables, Infinity, 1);
  const others = tables.aside.get(row.cookie);
  tables.asideRows++;
  if (others === undefined) tables.aside.set(row.cookie, [row.copy()]);
  else others.push(row.copy());
}

/** Drops what waits since before `untilNs`, oldest sockets first, at most `most` sockets' rows. */
function dropAside(tables: Tables, untilNs: number, most: number): void {
  let dropped = 0;
  for (const [cookie, rows] of tables.aside) {
    if (dropped >= most || (rows[0]?.timeNs ?? 0) > untilNs) return;
    tables.aside.delete(cookie);
    tables.asideRows -= rows.length;
    tables.asideLost += rows.length;
    dropped++;
  }
}

/** Gives up on sockets whose row never came. */
export function expireAside(tables: Tables): void {
  if (tables.aside.size > 0) dropAside(tables, tables.clock.nowNs - MAX_ASIDE_NS, Infinity);
}
