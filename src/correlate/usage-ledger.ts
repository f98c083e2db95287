/** Usage: takes in the rows that tell of it, and knows what processes have spent, also while they used a socket. */
import type { Batch } from '../capture/batch.js';
import { USAGE_KIND } from '../capture/layout.js';
import type { BootClock } from './clock.js';
import { DatagramShare, StreamSocket, type BoundSocket, type PeerHalf, type Socket } from './halves.js';
import { Meter } from './meter.js';
import type { Endpoint, Flow, Process, ProcessShare } from './model.js';
import { NOTE } from './owners.js';
import { PeakHistory } from './peak-history.js';
import { allPeers } from './peers.js';
import type { Recorder } from './series/recorder.js';
import { shareOf } from './shares.js';
import type { Tables } from './tables.js';
import { NOTHING_SPENT, Reading, usageBetween, type Usage } from './usage.js';
import { isClosed, isOpen, NO_END, NO_WINDOW, Windows } from './windows.js';

const TCP = 6;
/** Windows of sockets whose row has not come yet: as many as may be under way at once. */
const MAX_ASIDE = 8192;
const MAX_ASIDE_NS = 30e9;

interface Aside {
  readonly process: Process;
  window: number;
  readonly sinceNs: number;
}

export class UsageLedger {
  private readonly windows: Windows;
  private readonly reading = new Reading();
  private readonly aside = new Map<number, Aside[]>();
  private asideCount = 0;
  private lost = 0;
  /** Since when usage is read; null while it is not. */
  private onSinceMicros: number | null = null;
  /** Processes that were sampled in the batch at hand, and those that exit in it. */
  sampled: Process[] = [];
  private readonly exits = new Set<Process>();

  constructor(
    private readonly clock: BootClock,
    private readonly recorder: Recorder,
  ) {
    this.windows = new Windows(clock);
  }

  /** Whether usage is read. */
  set isOn(on: boolean) {
    if (!on) this.onSinceMicros = null;
    else this.onSinceMicros ??= this.clock.nowMicros;
  }

  /** Windows whose socket never showed up. */
  get asideLost(): number {
    return this.lost;
  }

  get sizes(): Readonly<Record<string, number>> {
    return { ...this.windows.sizes, windowsAside: this.asideCount };
  }

  /** A process will exit in the batch at hand: a sample of it is its last, and was made for itself. */
  exiting(tables: Tables, { process: table }: Batch, row: number): void {
    const process = tables.processes.named(table.pid[row] as number, table.startNs[row] as number, false);
    if (process !== null) this.exits.add(process);
  }

  /** A row of a sample, or of the beginning of a use; those of ends come later, see {@link end}. */
  begin(tables: Tables, batch: Batch, row: number): void {
    const { usage } = batch;
    const kind = usage.kind[row];
    if (kind !== USAGE_KIND.sample && kind !== USAGE_KIND.began) return;
    const mayMake = kind === USAGE_KIND.began;
    const process = tables.processes.named(usage.pid[row] as number, usage.startNs[row] as number, mayMake);
    if (process === null) return;
    if (kind === USAGE_KIND.sample) this.sample(process, batch, row);
    else this.open(tables, process, batch, row);
  }

  /** A row of the end of a use. */
  end(tables: Tables, batch: Batch, row: number): void {
    const { usage } = batch;
    if (usage.kind[row] !== USAGE_KIND.ended) return;
    const process = tables.processes.named(usage.pid[row] as number, usage.startNs[row] as number, false);
    if (process === null) return;
    const cookie = usage.cookie[row] as number;
    const socket = usableSocket(tables, cookie);
    if (socket instanceof StreamSocket) {
      const share = socket.endpoint?.shareOf(process);
      if (share !== undefined && isOpen(share.window)) share.window = this.windows.closeRow(share.window, batch, row);
    } else if (socket !== undefined) this.endOn(socket, process, this.reading.read(batch, row, this.clock));
    else {
      const early = this.aside.get(cookie)?.find((entry) => entry.process === process && isOpen(entry.window));
      if (early !== undefined) early.window = this.windows.closeRow(early.window, batch, row);
    }
  }

  /** A socket's row has come: the windows that waited for it are given to it. */
  adopt(tables: Tables, cookie: number): void {
    if (this.aside.size === 0) return;
    const waiting = this.aside.get(cookie);
    const socket = usableSocket(tables, cookie);
    if (waiting === undefined || socket === undefined) return;
    this.aside.delete(cookie);
    this.asideCount -= waiting.length;
    for (const { process, window } of waiting) this.give(socket, process, window);
  }

  /** A process has moved something on a socket that is not connected TCP. */
  moved(half: PeerHalf, share: DatagramShare): void {
    const meter = share.process.meter;
    if (meter === null) return;
    if (share.window === NO_WINDOW) share.window = this.windowFrom(half, share, meter);
    else if (isOpen(share.window)) this.measure(share, meter);
  }

  /** Closes what is open of a flow that has ended, with the last readings there are. */
  settle(flow: Flow): void {
    for (const endpoint of [flow.client, flow.server]) {
      const only = endpoint.onlyShare;
      if (only !== null) this.settleShare(only);
      else for (const share of endpoint.shares) this.settleShare(share);
    }
  }

  /** A flow is forgotten, and the share with it. */
  forgetShare(share: ProcessShare): void {
    this.windows.drop(share.window);
    share.window = NO_WINDOW;
    if (share instanceof DatagramShare) {
      this.windows.drop(share.soFar);
      share.soFar = NO_WINDOW;
    }
  }

  /** A socket is forgotten. */
  forgetSocket(socket: BoundSocket): void {
    for (const window of socket.windows?.values() ?? []) this.windows.drop(window);
    socket.windows = null;
  }

  /** A process is forgotten. */
  forgetProcess({ meter }: Process): void {
    if (meter === null) return;
    this.recorder.forget(meter);
    this.windows.forget(meter);
    this.windows.drop(meter.final);
    meter.final = NO_WINDOW;
  }

  /** A process has exited; its row may know what it spent in all. */
  exited(process: Process, batch: Batch, row: number): void {
    const hasTotals = batch.process.hasTotals[row] === 1;
    if (!hasTotals && process.meter === null) return;
    const meter = (process.meter ??= new Meter());
    const before = meter.latest;
    const final = hasTotals ? this.readTotals(process, batch, row, before) : null;
    this.recorder.exited(process, meter, before, final);
    meter.before = null;
    meter.peaks = null;
    if (final === null) return;
    meter.final = this.windows.whole(process.startMicros, final);
    // Windows of its flows may still have to be closed with it.
    if (process.flows.size === 0) meter.latest = null;
    else if (before !== null) Object.assign(before, final);
  }

  /** All exits of the batch at hand were told. */
  exitsDone(): void {
    this.exits.clear();
  }

  /** Gives up on sockets whose row never came. */
  expire(): void {
    for (const [cookie, entries] of this.aside) {
      if ((entries[0]?.sinceNs ?? 0) > this.clock.nowNs - MAX_ASIDE_NS) return;
      this.dropAside(cookie, entries);
    }
  }

  /** What a process has spent in its window of a flow; null when that is not known. */
  usageOf(share: ProcessShare): Usage | null {
    const { window } = share;
    if (isClosed(window)) return this.windows.read(window);
    const { meter } = share.process;
    const latest = meter?.latest ?? null;
    if (!isOpen(window) || latest === null || latest.timeNs <= this.windows.openedNs(window)) return null;
    const now = this.windows.soFar(NO_WINDOW, window, latest, this.peakSince(meter, window, latest));
    const usage = this.windows.read(now);
    this.windows.drop(now);
    return usage;
  }

  /** What a process has spent from its start to its exit or the latest sample; null before there was one. */
  totalOf({ meter, startMicros, startedBefore }: Process): Usage | null {
    if (meter === null) return null;
    if (isClosed(meter.final)) return this.windows.read(meter.final);
    if (meter.latest === null) return null;
    // A process from before the agent may have had more memory than any sample saw.
    const peak = startedBefore ? NaN : meter.highestMemoryBytes;
    return usageBetween(NOTHING_SPENT, meter.latest, { from: startMicros, to: meter.latest.micros }, peak);
  }

  /** What a process has spent between the two latest samples; null before there were two, and after its exit. */
  currentOf({ meter }: Process): Usage | null {
    const before = meter?.before ?? null;
    const latest = meter?.latest ?? null;
    if (before === null || latest === null) return null;
    return usageBetween(before, latest, { from: before.micros, to: latest.micros }, latest.peakMemoryBytes);
  }

  /** Why some usage of a flow is not known: bits of notes. */
  notesOf(flow: Flow): number {
    return this.notesOfEnd(flow, flow.client) | this.notesOfEnd(flow, flow.server);
  }

  private notesOfEnd(flow: Flow, { local, process, shares }: Endpoint): number {
    if (!local || process === null) return 0;
    let bits = 0;
    for (const share of shares) if (share.process !== process) bits |= this.notesOfUsage(this.usageOf(share));
    const share = shares.find((each) => each.process === process);
    const window = share?.window ?? NO_WINDOW;
    if (window === NO_WINDOW) return bits | (this.wasOn(flow) ? NOTE.usageStartUnknown : NOTE.resourcesTierOff);
    if (isClosed(window) && this.windows.isCut(window)) bits |= NOTE.usageEndUnknown;
    const usage = share === undefined ? null : this.usageOf(share);
    return bits | (usage === null ? NOTE.usageEndUnknown : this.notesOfUsage(usage));
  }

  private notesOfUsage(usage: Usage | null): number {
    if (usage === null) return 0;
    return (
      (usage.ioWaitMs === null ? NOTE.ioWaitNotAccounted : 0) |
      (usage.peakMemoryBytes === null ? NOTE.peakMemoryUnknown : 0)
    );
  }

  /** Whether usage was read when the flow began; what is older than the agent began too early for any tier. */
  private wasOn(flow: Flow): boolean {
    if (this.onSinceMicros === null) return false;
    return flow.startedBefore || flow.startMicros >= this.onSinceMicros;
  }

  private sample(process: Process, batch: Batch, row: number): void {
    const meter = (process.meter ??= new Meter());
    const timeNs = batch.usage.timeNs[row] as number;
    if (process.endMicros !== null || (meter.latest !== null && timeNs <= meter.latest.timeNs)) return;
    const latest = meter.nextSample().read(batch, row, this.clock);
    noteMemory(process, meter, latest);
    this.recorder.sampled(process, meter, latest, this.exits.has(process));
    this.sampled.push(process);
  }

  private open(tables: Tables, process: Process, batch: Batch, row: number): void {
    this.isOn = true;
    const meter = (process.meter ??= new Meter());
    const cookie = batch.usage.cookie[row] as number;
    const socket = usableSocket(tables, cookie);
    if (socket instanceof StreamSocket) {
      const { flow, endpoint } = socket;
      if (flow === null || endpoint === null) return;
      const share = shareOf(flow, endpoint, process);
      if (share.window === NO_WINDOW) share.window = this.windows.openRow(meter, batch, row);
      return;
    }
    if (socket !== undefined) {
      if (socket.windows?.has(process) !== true) this.give(socket, process, this.windows.openRow(meter, batch, row));
      return;
    }
    if (cookie === 0 || tables.endedCookies.has(cookie)) return;
    const entry = { process, window: this.windows.openRow(meter, batch, row), sinceNs: this.clock.nowNs };
    const others = this.aside.get(cookie);
    if (others === undefined) this.aside.set(cookie, [entry]);
    else others.push(entry);
    if (++this.asideCount <= MAX_ASIDE) return;
    for (const [oldest, entries] of this.aside) {
      this.dropAside(oldest, entries);
      return;
    }
  }

  private dropAside(cookie: number, entries: readonly Aside[]): void {
    this.aside.delete(cookie);
    this.asideCount -= entries.length;
    this.lost += entries.length;
    for (const { window } of entries) this.windows.drop(window);
  }

  private give(socket: Socket, process: Process, window: number): void {
    if (socket instanceof StreamSocket) {
      const { flow, endpoint } = socket;
      if (flow === null || endpoint === null) this.windows.drop(window);
      else shareOf(flow, endpoint, process).window = window;
      return;
    }
    socket.windows ??= new Map();
    socket.windows.set(process, window);
    for (const half of allPeers(socket)) {
      const share = half.shares.find((each) => each.process === process);
      if (share !== undefined && half.flow !== null) this.moved(half, share);
    }
  }

  /** The window of a share that has none, on a socket that its process may have used for long. */
  private windowFrom(half: PeerHalf, share: DatagramShare, meter: Meter): number {
    const began = half.socket.windows?.get(share.process) ?? NO_WINDOW;
    const sample = meter.sampleBefore(half.firstNs);
    const beganNs = isOpen(began) ? this.windows.openedNs(began) : -1;
    if (sample !== null && sample.timeNs > beganNs) return this.windows.open(meter, sample);
    return isOpen(began) ? this.windows.open(meter, this.windows.first(began, this.reading)) : NO_WINDOW;
  }

  /** Keeps what was spent up to now: if the flow ends by silence, it ended here. */
  private measure(share: DatagramShare, meter: Meter): void {
    const { latest } = meter;
    if (latest === null || latest.timeNs <= this.windows.openedNs(share.window)) return;
    const peak = this.peakSince(meter, share.window, latest);
    share.soFar = this.windows.soFar(share.soFar, share.window, latest, peak);
  }

  private endOn(socket: BoundSocket, process: Process, last: Reading): void {
    const began = socket.windows?.get(process);
    const beganNs = began !== undefined && isOpen(began) ? this.windows.openedNs(began) : NaN;
    for (const half of allPeers(socket)) {
      const share = half.shares.find((each) => each.process === process);
      if (share === undefined || !isOpen(share.window)) continue;
      const isWhole = this.windows.openedNs(share.window) === beganNs;
      const peak = isWhole ? last.peakMemoryBytes : this.peakSince(process.meter, share.window, last);
      this.close(share, last, peak);
    }
    if (began === undefined) return;
    this.windows.drop(began);
    socket.windows?.delete(process);
  }

  private close(share: ProcessShare, last: Reading, peakMemoryBytes: number): void {
    if (!isOpen(share.window)) return;
    share.window = this.windows.close(share.window, last, peakMemoryBytes, false);
    if (!(share instanceof DatagramShare)) return;
    this.windows.drop(share.soFar);
    share.soFar = NO_WINDOW;
  }

  private settleShare(share: ProcessShare): void {
    const { window } = share;
    if (!isOpen(window)) return;
    if (share instanceof DatagramShare && isClosed(share.soFar)) {
      this.windows.drop(window);
      share.window = share.soFar;
      share.soFar = NO_WINDOW;
      return;
    }
    const meter = share.process.meter;
    const last = meter?.latest ?? null;
    if (last !== null && last.timeNs > this.windows.openedNs(window)) {
      share.window = this.windows.close(window, last, this.peakSince(meter, window, last), true);
      return;
    }
    this.windows.drop(window);
    share.window = NO_END;
  }

  /** The highest memory since a window was opened, as the samples tell: those whose interval lies within. */
  private peakSince(meter: Meter | null, window: number, last: Reading): number {
    if (meter === null || Number.isNaN(last.peakMemoryBytes)) return NaN;
    const peak = meter.peaks?.since(this.windows.openedNs(window)) ?? NaN;
    return peak > last.memoryBytes || Number.isNaN(last.memoryBytes) ? peak : last.memoryBytes;
  }

  /** What a process had spent at its exit. The row knows no waits and switches: they stay as of the last sample. */
  private readTotals(process: Process, batch: Batch, row: number, before: Reading | null): Reading {
    const table = batch.process;
    const final = this.reading;
    final.timeNs = table.timeNs[row] as number;
    final.micros = process.endMicros ?? this.clock.micros(final.timeNs);
    final.userNs = table.userNs[row] as number;
    final.cpuNs = final.userNs + (table.systemNs[row] as number);
    final.minorFaults = table.minorFaults[row] as number;
    final.majorFaults = table.majorFaults[row] as number;
    final.readBytes = table.readBytes[row] as number;
    final.writtenBytes = table.writtenBytes[row] as number;
    final.ioWaitNs = before?.ioWaitNs ?? NaN;
    final.voluntarySwitches = before?.voluntarySwitches ?? NaN;
    final.involuntarySwitches = before?.involuntarySwitches ?? NaN;
    final.memoryBytes = NaN;
    final.peakMemoryBytes = (table.peakMemoryBytes[row] as number) || NaN;
    return final;
  }
}

function usableSocket(tables: Tables, cookie: number): Socket | undefined {
  const socket = tables.sockets.get(cookie);
  if (socket instanceof StreamSocket) return socket.flow === null ? undefined : socket;
  // A bound TCP socket is no flow; should it connect, it becomes another.
  return socket?.protocolNumber === TCP ? undefined : socket;
}

function noteMemory(process: Process, meter: Meter, latest: Reading): void {
  const { peakMemoryBytes: peak, memoryBytes: memory } = latest;
  const highest = Number.isNaN(peak) ? memory : peak;
  if (!(meter.highestMemoryBytes >= highest)) meter.highestMemoryBytes = highest;
  if (process.flows.size === 0 || Number.isNaN(peak)) meter.peaks = null;
  else {
    meter.peaks ??= new PeakHistory();
    if (meter.before !== null) meter.peaks.add(meter.before.timeNs, peak);
  }
}
