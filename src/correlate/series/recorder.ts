/**
 * Records what samples, exits and flows tell into series, of each process and of the groups that it belongs to.
 *
 * Every amount is known between two readings; the slots between them get their part of it by time, rounded so that the
 * parts are whole and add up.
 */
import type { Meter } from '../meter.js';
import type { Process } from '../model.js';
import type { Movement } from '../movement.js';
import { NOTHING_SPENT, spent, type Reading } from '../usage.js';
import { COUNTER, COUNTERS, LEVEL } from './columns.js';
import { Group, type GroupKind } from './group.js';
import { SeriesStore, type SeriesLimits } from './store.js';
import type { Track } from './track.js';

/** More executables, users or containers than this at once are not told apart: those that come later have no series. */
const MAX_GROUPS = 10_000;
/** The key of the group that there is one of. */
export const HOST_KEY = 0;

type Key = string | number;

export class Recorder {
  readonly store: SeriesStore;
  private readonly groups: Readonly<Record<GroupKind, Map<Key, Group>>> = {
    executable: new Map(),
    user: new Map(),
    container: new Map(),
    host: new Map(),
  };
  /** What is being recorded, by counter, and where to. */
  private readonly amounts = new Float64Array(COUNTERS);
  private readonly tracks: Track[] = [];
  private refusedGroups = 0;
  private pass = 0;
  /** When the pass began whose samples are being recorded. */
  private passMicros: number | null = null;
  /** When the two latest passes began. */
  private latestMicros: number | null = null;
  private previousMicros: number | null = null;
  private currentSlot: number | null = null;

  constructor(limits: SeriesLimits) {
    this.store = new SeriesStore(limits);
  }

  group(kind: GroupKind, key: Key): Group | null {
    return this.groups[kind].get(key) ?? null;
  }

  /** The whole machine; null before anything was recorded. */
  get host(): Group | null {
    return this.group('host', HOST_KEY);
  }

  groupsOf(kind: GroupKind): Iterable<Group> {
    return this.groups[kind].values();
  }

  /** When the two latest passes of sampling began; null before there were any. */
  get passes(): { readonly latestMicros: number | null; readonly previousMicros: number | null } {
    return { latestMicros: this.latestMicros, previousMicros: this.previousMicros };
  }

  /** Times that a group found no place. */
  get refused(): number {
    return this.refusedGroups;
  }

  /**
   * Time goes on: what is a level is written for the slot that is over. `processes` may hold such as have exited;
   * `liveFlows` is how many flows there are on this host.
   */
  advance(nowMicros: number, processes: Iterable<Process>, liveFlows: number): void {
    const { store } = this;
    const slot = store.slotOf(nowMicros);
    this.currentSlot ??= slot;
    if (slot > this.currentSlot) {
      this.writeLevels(this.currentSlot, processes, liveFlows);
      this.currentSlot = slot;
      const oldest = store.oldestSlot;
      store.reach(slot);
      if (store.oldestSlot > oldest) this.forgetGroups();
    }
    store.moved.look(nowMicros);
  }

  /** A sample of a process, which its meter has as the latest; one that was made at its exit belongs to no pass. */
  sampled(process: Process, meter: Meter, latest: Reading, isExit: boolean): void {
    if (!isExit) {
      // Who is met again has been met in the pass before.
      if (meter.pass === this.pass) {
        this.pass++;
        this.passMicros = latest.micros;
      }
      meter.pass = this.pass;
      this.makeTrack(process, meter, latest.micros);
    }
    this.record(process, meter, meter.before, latest);
  }

  /** All samples of a batch were recorded. */
  settle(): void {
    if (this.passMicros === null) return;
    for (const groups of Object.values(this.groups)) {
      for (const group of groups.values()) group.endPass(this.passMicros);
    }
    this.store.sampled.look(this.passMicros);
    this.previousMicros = this.latestMicros;
    this.latestMicros = this.passMicros;
    this.passMicros = null;
  }

  /** A process has exited. `from` is its last sample, `final` what it had spent; null when it is not known. */
  exited(process: Process, meter: Meter, from: Reading | null, final: Reading | null): void {
    if (final !== null) this.record(process, meter, from, final);
    if (meter.track !== null) this.store.end(meter.track, this.store.slotOf(process.endMicros ?? 0));
  }

  /** The flows of a process have moved this; null: it is not known whose they are. */
  moved(process: Process | null, movement: Movement, fromMicros: number, toMicros: number): void {
    const meter = process?.meter ?? null;
    if (process !== null && meter !== null && process.endMicros === null) this.makeTrack(process, meter, toMicros);
    const amounts = this.amounts.fill(0);
    amounts[COUNTER.sentOctets] = movement.sentOctets;
    amounts[COUNTER.receivedOctets] = movement.receivedOctets;
    amounts[COUNTER.sentPackets] = movement.sentPackets;
    amounts[COUNTER.receivedPackets] = movement.receivedPackets;
    this.credit(process, meter, fromMicros);
    this.spread(fromMicros, toMicros);
  }

  /** A process is forgotten. */
  forget(meter: Meter): void {
    if (meter.track !== null) this.store.remove(meter.track);
    meter.track = null;
  }

  /** Records what a process spent since the reading before; since its start if that was seen. */
  private record(process: Process, meter: Meter, before: Reading | null, to: Reading): void {
    // Most processes sleep.
    if (before !== null && isSame(before, to)) return;
    const from = before ?? (process.startedBefore ? to : NOTHING_SPENT);
    const fromMicros = before === null && from !== to ? process.startMicros : from.micros;
    const { amounts } = this;
    amounts.fill(0);
    amounts[COUNTER.cpuNs] = spent(from.cpuNs, to.cpuNs);
    amounts[COUNTER.userNs] = spent(from.userNs, to.userNs);
    amounts[COUNTER.minorFaults] = spent(from.minorFaults, to.minorFaults);
    amounts[COUNTER.majorFaults] = spent(from.majorFaults, to.majorFaults);
    amounts[COUNTER.readBytes] = known(spent(from.readBytes, to.readBytes));
    amounts[COUNTER.writtenBytes] = known(spent(from.writtenBytes, to.writtenBytes));
    amounts[COUNTER.voluntarySwitches] = known(spent(from.voluntarySwitches, to.voluntarySwitches));
    amounts[COUNTER.involuntarySwitches] = known(spent(from.involuntarySwitches, to.involuntarySwitches));
    amounts[COUNTER.ioWaitNs] = known(spent(from.ioWaitNs, to.ioWaitNs));
    this.credit(process, meter, fromMicros);
    for (const track of this.tracks) {
      if (!Number.isNaN(to.ioWaitNs)) track.ioWaitKnown = true;
      if (!Number.isNaN(to.readBytes)) track.isWhole = true;
    }
    // What was spent over a gap, nobody knows when, is in no slot.
    if (!this.store.sampled.isGap(fromMicros, to.micros)) this.spread(fromMicros, to.micros);
  }

  /** Adds the amounts to the totals of the groups of a process, and finds the tracks in which they count. */
  private credit(process: Process | null, meter: Meter | null, sinceMicros: number): void {
    this.tracks.length = 0;
    if (meter !== null && meter.track !== null) this.tracks.push(meter.track);
    this.creditGroup(this.groupOf('host', HOST_KEY, sinceMicros));
    if (process === null) return;
    if (process.executable !== null) this.creditGroup(this.groupOf('executable', process.executable, sinceMicros));
    this.creditGroup(this.groupOf('user', process.uid, sinceMicros));
    if (process.container !== null) this.creditGroup(this.groupOf('container', process.container.id, sinceMicros));
  }

  private creditGroup(group: Group | null): void {
    if (group === null) return;
    this.tracks.push(group.track);
    const { totals } = group;
    for (let counter = 0; counter < COUNTERS; counter++) {
      totals[counter] = (totals[counter] as number) + (this.amounts[counter] as number);
    }
  }

  /** Gives each slot between two times its part of the amounts. */
  private spread(fromMicros: number, toMicros: number): void {
    const { store } = this;
    const last = store.slotOf(toMicros);
    const first = Math.min(store.slotOf(fromMicros), last);
    for (let counter = 0; counter < COUNTERS; counter++) {
      const amount = this.amounts[counter] as number;
      if (amount === 0) continue;
      let given = 0;
      for (let slot = first; slot <= last; slot++) {
        const share = (store.microsOf(slot + 1) - fromMicros) / (toMicros - fromMicros);
        const upToHere = slot === last ? amount : Math.round(amount * share);
        const part = upToHere - given;
        given = upToHere;
        if (part === 0) continue;
        for (const track of this.tracks) store.count(track, counter, slot, part);
      }
    }
  }

  private makeTrack(process: Process, meter: Meter, nowMicros: number): void {
    const since = process.startedBefore ? nowMicros : process.startMicros;
    meter.track ??= this.store.add(this.store.slotOf(since), true);
  }

  private groupOf(kind: GroupKind, key: Key, sinceMicros: number): Group | null {
    const groups = this.groups[kind];
    const known = groups.get(key);
    if (known !== undefined) return known;
    if (groups.size >= MAX_GROUPS && !this.evictGroup(groups)) {
      this.refusedGroups++;
      return null;
    }
    const group = new Group(key, this.store.add(this.store.slotOf(sinceMicros), false), sinceMicros);
    groups.set(key, group);
    return group;
  }

  private evictGroup(groups: Map<Key, Group>): boolean {
    for (const [key, group] of groups) {
      if (group.processes > 0) continue;
      groups.delete(key);
      this.store.remove(group.track);
      return true;
    }
    return false;
  }

  /** Groups without a process for as long as series are kept. */
  private forgetGroups(): void {
    const oldest = this.store.oldestSlot;
    for (const kind of ['executable', 'user', 'container'] as const) {
      for (const [key, group] of this.groups[kind]) {
        if (group.processes > 0 || group.lastSlot >= oldest) continue;
        this.groups[kind].delete(key);
        this.store.remove(group.track);
      }
    }
  }

  private writeLevels(slot: number, processes: Iterable<Process>, liveFlows: number): void {
    for (const groups of Object.values(this.groups)) for (const group of groups.values()) group.clearLevels();
    const { store } = this;
    for (const process of processes) {
      const { meter } = process;
      if (meter === null || process.endMicros !== null) continue;
      const memory = meter.latest?.memoryBytes ?? NaN;
      if (meter.track !== null) {
        store.level(meter.track, LEVEL.memoryBytes, slot, memory);
        store.level(meter.track, LEVEL.connections, slot, process.connections);
      }
      const { executable, uid, container } = process;
      this.group('host', HOST_KEY)?.addLevels(memory, 0);
      if (executable !== null) this.group('executable', executable)?.addLevels(memory, process.connections);
      this.group('user', uid)?.addLevels(memory, process.connections);
      if (container !== null) this.group('container', container.id)?.addLevels(memory, process.connections);
    }
    if (this.host !== null) this.host.connections = liveFlows;
    for (const groups of Object.values(this.groups)) {
      for (const group of groups.values()) {
        group.settleLevels(slot);
        store.level(group.track, LEVEL.memoryBytes, slot, group.memoryBytes);
        store.level(group.track, LEVEL.connections, slot, group.connections);
      }
    }
  }
}

function isSame(a: Reading, b: Reading): boolean {
  return (
    a.cpuNs === b.cpuNs &&
    a.userNs === b.userNs &&
    Object.is(a.voluntarySwitches, b.voluntarySwitches) &&
    Object.is(a.involuntarySwitches, b.involuntarySwitches) &&
    a.minorFaults === b.minorFaults &&
    a.majorFaults === b.majorFaults &&
    Object.is(a.readBytes, b.readBytes) &&
    Object.is(a.writtenBytes, b.writtenBytes) &&
    Object.is(a.ioWaitNs, b.ioWaitNs)
  );
}

function known(amount: number): number {
  return Number.isNaN(amount) ? 0 : amount;
}
