/** Processes: who there is and was, from the events of their lives. */
import { constants } from 'node:os';
import type { Batch } from '../capture/batch.js';
import { PROCESS_KIND } from '../capture/layout.js';
import { CgroupReader } from './cgroup.js';
import type { BootClock } from './clock.js';
import { Fifo } from './collections.js';
import type { IdMaker } from './ids.js';
import { Process, type Image } from './model.js';
import type { Redactor } from './redact.js';

export type ProcessEvent = 'STARTED' | 'EXECUTED' | 'EXITED';

export interface ProcessLimits {
  readonly keepExitedMs: number;
  readonly keepExitedMax: number;
}

/** A process that execs in a loop must not grow without end. */
const MAX_IMAGES = 64;
const UNKNOWN_ID = 0xffffffff;
/** Of a process whose end nobody saw. */
const UNKNOWN_EXIT = -1;

const SIGNAL_NAMES = new Map<number, string>(Object.entries(constants.signals).map(([name, number]) => [number, name]));

interface ParentReference {
  readonly pid: number;
  readonly startNs: number;
}

export class ProcessTable {
  /** Processes of a pid, newest last: with reuse there is more than one. */
  private readonly byPid = new Map<number, Process[]>();
  private readonly byId = new Map<string, Process>();
  /** Children whose parent is not known yet, and by the pid they wait for. */
  private readonly waiting = new Map<Process, ParentReference>();
  private readonly waitingFor = new Map<number, Set<Process>>();
  /** Known only from a reference, and not announced yet. */
  private readonly unannounced = new Set<Process>();
  /** Lost their pid to another process; they have ended, unless an exit row of the same batch says when. */
  private superseded: Process[] = [];
  private exits: Process[] = [];
  private readonly exited = new Fifo<Process>();
  /** Exited and due to go, but remembered flows refer to them. */
  private readonly held = new Set<Process>();
  private readonly cgroups = new CgroupReader();
  private readonly strings = new Map<string, string>();
  private ended = 0;
  redact: Redactor = (args) => args;
  /** Told of each uid that a process runs under, so that its name is known when somebody asks. */
  meetUser: (uid: number) => void = () => undefined;
  /** Told of each process that is forgotten. */
  forgot: (process: Process) => void = () => undefined;

  constructor(
    private readonly ids: IdMaker,
    private readonly clock: BootClock,
    private readonly limits: ProcessLimits,
    private readonly emit: (event: ProcessEvent, process: Process) => void,
  ) {}

  all(): Iterable<Process> {
    return this.byId.values();
  }

  get(id: string): Process | undefined {
    return this.byId.get(id);
  }

  /** All that are remembered. */
  get size(): number {
    return this.byId.size;
  }

  get live(): number {
    return this.byId.size - this.ended;
  }

  /**
   * The process that a row refers to; null for pid 0. One that nothing is known of yet is made with an empty name, which
   * a later row fills in.
   */
  reference(pid: number, startNs: number): Process | null {
    if (pid === 0) return null;
    const known = this.find(pid, startNs);
    if (known !== undefined) return known;
    const process = this.create(pid, startNs);
    this.unannounced.add(process);
    return process;
  }

  /** As {@link reference}, but nothing is made unless `mayMake`. */
  named(pid: number, startNs: number, mayMake: boolean): Process | null {
    return mayMake ? this.reference(pid, startNs) : pid === 0 ? null : (this.find(pid, startNs) ?? null);
  }

  private find(pid: number, startNs: number): Process | undefined {
    const lives = this.byPid.get(pid);
    if (lives === undefined) return undefined;
    const last = lives[lives.length - 1];
    if (last?.startNs === startNs || startNs === 0) return last;
    return lives.length > 1 ? lives.find((process) => process.startNs === startNs) : undefined;
  }

  private create(pid: number, startNs: number): Process {
    const process = new Process(this.ids.process(pid, startNs), pid, startNs, this.clock.micros(startNs));
    process.startedBefore = startNs < this.clock.firstNs;
    const lives = this.byPid.get(pid);
    if (lives === undefined) this.byPid.set(pid, [process]);
    else {
      for (const older of lives) {
        if (older.endMicros === null && older.startNs < startNs) this.superseded.push(older);
        // Only a reference that came late: whoever has the pid now has come after it.
        if (older.startNs > startNs) this.superseded.push(process);
      }
      lives.push(process);
      // A row about an earlier life may come late: the newest stays last.
      lives.sort((a, b) => a.startNs - b.startNs);
    }
    this.byId.set(process.id, process);
    this.adoptWaiting(process);
    return process;
  }

  /** Applies any row but an exit. */
  apply(batch: Batch, row: number): void {
    const table = batch.process;
    const pid = table.pid[row] as number;
    if (pid === 0) return;
    const startNs = table.startNs[row] as number;
    const kind = table.kind[row] as number;
    const process = this.find(pid, startNs) ?? this.create(pid, startNs);
    const isNew = process.revision === 0;
    this.linkParent(process, table.parentPid[row] as number, table.parentStartNs[row] as number);
    // One that was only referred to so far is as good as new.
    const original = kind === PROCESS_KIND.fork && process.name === '' ? process.parent : null;
    if (original !== null) this.inherit(process, original);
    this.fill(process, batch, row, original !== null);
    if (kind === PROCESS_KIND.seen && process.images.length === 0)
      process.images = [imageOf(process, process.startMicros)];
    process.revision++;
    if (isNew) {
      this.unannounced.delete(process);
      this.emit('STARTED', process);
    }
    if (kind === PROCESS_KIND.exec) {
      const image = imageOf(process, this.clock.micros(table.timeNs[row] as number));
      process.images = [...process.images.slice(1 - MAX_IMAGES), image];
      this.emit('EXECUTED', process);
    }
  }

  /**
   * Applies an exit row; the fact waits for {@link announceExits}, after the ends of the process's flows.
   * @returns the process; null when its exit is no news
   */
  exit(batch: Batch, row: number): Process | null {
    const table = batch.process;
    if ((table.pid[row] as number) === 0) return null;
    const known = this.find(table.pid[row] as number, table.startNs[row] as number);
    if (known !== undefined && known.endMicros !== null) return null;
    this.apply(batch, row);
    const process = this.reference(table.pid[row] as number, table.startNs[row] as number);
    if (process === null) return null;
    const signal = table.exitSignal[row] as number;
    const exitCode = table.exitCode[row] as number;
    if (signal === 0) process.exitCode = exitCode === UNKNOWN_EXIT ? null : exitCode;
    else process.exitSignal = SIGNAL_NAMES.get(signal) ?? `SIG${signal}`;
    this.end(process, this.clock.micros(table.timeNs[row] as number));
    return process;
  }

  /** Tells of processes that are known only because something referred to them. */
  announceReferenced(): void {
    for (const process of this.unannounced) {
      process.revision++;
      this.emit('STARTED', process);
    }
    this.unannounced.clear();
  }

  /** Ends those that lost their pid without an exit row, and tells of all exits of the batch. */
  announceExits(): void {
    for (const process of this.superseded) {
      // When it ended was lost; it was before now.
      if (process.endMicros === null) this.end(process, this.clock.nowMicros);
    }
    this.superseded = [];
    const exits = this.exits;
    this.exits = [];
    for (const process of exits) this.emit('EXITED', process);
  }

  private end(process: Process, micros: number): void {
    process.endMicros = micros;
    process.revision++;
    this.ended++;
    this.exits.push(process);
    this.exited.push(process);
  }

  /** Forgets exited processes whose time is over. */
  retain(nowMicros: number): void {
    const oldest = nowMicros - this.limits.keepExitedMs * 1000;
    for (let next = this.exited.peek(); next !== undefined; next = this.exited.peek()) {
      if (this.exited.size <= this.limits.keepExitedMax && (next.endMicros ?? 0) > oldest) break;
      this.exited.shift();
      if (next.flows.size > 0) this.held.add(next);
      else this.remove(next);
    }
  }

  /** A remembered flow of the process was forgotten. */
  released(process: Process): void {
    if (process.flows.size === 0 && this.held.delete(process)) this.remove(process);
  }

  private remove(process: Process): void {
    this.byId.delete(process.id);
    this.ended--;
    const lives = this.byPid.get(process.pid)?.filter((life) => life !== process) ?? [];
    if (lives.length === 0) this.byPid.delete(process.pid);
    else this.byPid.set(process.pid, lives);
    this.stopWaiting(process);
    process.parent?.children.delete(process);
    // Children keep it as a name. Its own ancestors are let go, or a chain of short-lived parents would never end.
    process.parent = null;
    process.children.clear();
    this.forgot(process);
  }

  private linkParent(process: Process, pid: number, startNs: number): void {
    // The first parent heard of is the one that made it; later ones have adopted it.
    if (pid === 0 || process.parent !== null || this.waiting.has(process)) return;
    const parent = this.find(pid, startNs);
    if (parent === process) return;
    if (parent !== undefined) {
      process.parent = parent;
      parent.children.add(process);
      return;
    }
    this.waiting.set(process, { pid, startNs });
    const others = this.waitingFor.get(pid);
    if (others === undefined) this.waitingFor.set(pid, new Set([process]));
    else others.add(process);
  }

  private adoptWaiting(parent: Process): void {
    const children = this.waitingFor.get(parent.pid);
    if (children === undefined) return;
    for (const child of [...children]) {
      const wanted = this.waiting.get(child)?.startNs;
      if (child === parent || (wanted !== parent.startNs && wanted !== 0)) continue;
      this.stopWaiting(child);
      child.parent = parent;
      parent.children.add(child);
    }
  }

  private stopWaiting(child: Process): void {
    const wanted = this.waiting.get(child);
    if (wanted === undefined) return;
    this.waiting.delete(child);
    const others = this.waitingFor.get(wanted.pid);
    others?.delete(child);
    if (others?.size === 0) this.waitingFor.delete(wanted.pid);
  }

  /** A fork is a copy of its parent until it says otherwise. */
  private inherit(process: Process, parent: Process): void {
    process.name = parent.name;
    process.executable = parent.executable;
    process.arguments = parent.arguments;
    process.argumentsTruncated = parent.argumentsTruncated;
    process.uid = parent.uid;
    process.gid = parent.gid;
    process.cgroup = parent.cgroup;
    process.container = parent.container;
    process.unit = parent.unit;
  }

  /** Takes over what the row knows. */
  private fill(process: Process, batch: Batch, row: number, copied: boolean): void {
    const table = batch.process;
    const name = batch.text(table.name[row] as number);
    if (name !== null) process.name = this.shared(name);
    const executable = batch.text(table.executable[row] as number);
    if (executable !== null) process.executable = this.shared(executable);
    const args = batch.list(table.arguments[row] as number);
    if (args !== null) {
      process.arguments = this.redact(args);
      process.argumentsTruncated = table.argumentsTruncated[row] === 1;
    }
    const cgroup = batch.text(table.cgroup[row] as number);
    if (cgroup !== null && cgroup !== process.cgroup) {
      process.cgroup = this.shared(cgroup);
      const facts = this.cgroups.read(process.cgroup);
      process.container = facts.container;
      process.unit = facts.unit;
    }
    const uid = table.uid[row] as number;
    // At a fork the credentials are the parent's; a fork row that knows nothing does not know them either.
    const knowsNoIds = table.kind[row] === PROCESS_KIND.exit && process.revision > 0;
    if (uid === UNKNOWN_ID || knowsNoIds || (copied && name === null)) return;
    process.uid = uid;
    this.meetUser(uid);
    const gid = table.gid[row] as number;
    if (gid !== UNKNOWN_ID) process.gid = gid;
  }

  /**
   * The user under which a process moved its first bytes on a socket. A server's worker changes it after its fork, and
   * no event tells so.
   */
  ranAs(process: Process, uid: number): void {
    if (uid === process.uid || uid === UNKNOWN_ID) return;
    process.uid = uid;
    this.meetUser(uid);
  }

  /** One string for equal ones: names, paths and cgroups repeat. */
  shared(text: string): string {
    const known = this.strings.get(text);
    if (known !== undefined) return known;
    if (this.strings.size >= 10_000) this.strings.clear();
    this.strings.set(text, text);
    return text;
  }
}

function imageOf(process: Process, startMicros: number): Image {
  return {
    name: process.name,
    executable: process.executable,
    arguments: process.arguments,
    argumentsTruncated: process.argumentsTruncated,
    startMicros,
  };
}
