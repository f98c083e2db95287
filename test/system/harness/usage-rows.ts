/** Readings of processes as capture hands them over, before anything is made of them. */
import { Capture, decodeBatch, type Batch, type CaptureStatus } from '../../../src/capture/index.js';
import { fromSet, loadConfig, thisMachine } from '../../../src/config/index.js';
import { Child } from './children.js';
import { eventually } from './eventually.js';
import { buildGenerators, generatorsDirectory, Unsupported, type Options } from './generator.js';
import { join } from 'node:path';

const COLUMNS = [
  ...['kind', 'flags', 'timeNs', 'cookie', 'pid', 'startNs', 'threads', 'cpuNs', 'userNs', 'systemNs'],
  ...['memoryBytes', 'peakMemoryBytes', 'minorFaults', 'majorFaults', 'ioWaitNs', 'readBytes', 'writtenBytes'],
  ...['voluntarySwitches', 'involuntarySwitches'],
] as const;

/** A row of table `usage`. */
export type Reading = Readonly<Record<(typeof COLUMNS)[number] & keyof Batch['usage'], number>>;

/** What a process said of itself about one connection. */
export interface Spent {
  readonly work: string;
  readonly pid: number;
  readonly localPort: number;
  readonly remotePort: number;
  /** Between its own readings after the opening and before the end. */
  readonly cpuNs: number;
  /** … and between those before the opening and after the end. */
  readonly cpuAroundNs: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly ioWaitNs: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly memoryBefore: number;
  readonly memoryAfter: number;
}

/** Runs the generator that spends known amounts. What it tells is given to `meanwhile` before it exits, and returned. */
export async function spend(options: Options, meanwhile?: (told: Spent[]) => Promise<void>): Promise<Spent[]> {
  await buildGenerators();
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = new Child(join(generatorsDirectory, 'spend'), args);
  const flows = String(options['works']).split(',').length + Number(options['outer'] ?? 0);
  const told: Spent[] = [];
  for await (const line of child.lines()) {
    told.push(JSON.parse(line) as Spent);
    if (told.length < flows) continue;
    await meanwhile?.(told);
    child.process.stdin?.end();
  }
  const { code, signal } = await child.ended;
  if (code === 77) throw new Unsupported(child.stderr.trim());
  if (code !== 0) throw new Error(`spend ended with ${code ?? signal ?? ''}: ${child.stderr}`);
  return told;
}

/**
 * By how much CPU time of a connection is less than what its process had within, or more than what it had around it, in ns.
 * What comes in between the kernel's reading and the process's own, such as an interrupt, shows in the latter.
 */
export function cpuError(cpuNs: number, { cpuNs: within, cpuAroundNs: around }: Spent): number {
  return Math.min(0, cpuNs - within) + Math.max(0, cpuNs - around);
}

/** The two ends of a process's use of one socket. */
export interface Edges {
  readonly began: Reading;
  readonly ended: Reading;
}

/** Captures in this process, with the settings given as `key=value`. */
export class UsageRows {
  readonly tiers: { readonly name: string; readonly on: boolean; readonly reason: string | null }[] = [];
  readonly samples = new Map<number, Reading[]>();
  /** When a process exited, by pid. */
  readonly exits = new Map<number, number>();
  /** In the order in which they came, by batch: readings at the edges, and the ends of sockets. */
  readonly told: { readonly kind: 'began' | 'ended' | 'socket'; readonly cookie: number }[] = [];
  readonly #edges = new Map<string, Reading>();
  readonly #cookies = new Map<string, number>();
  readonly #ready: Promise<void>;
  readonly #capture: Capture;

  constructor(...settings: string[]) {
    const config = loadConfig({ file: undefined, env: {}, flags: settings.map(fromSet), machine: thisMachine() });
    let started: () => void = () => undefined;
    this.#ready = new Promise((resolve) => (started = resolve));
    this.#capture = Capture.start({
      config: config.capture,
      budgetPercent: 0,
      ownPorts: [],
      onBatch: (buffer) => {
        this.#take(decodeBatch(buffer));
        started();
      },
      onFailure: (reason) => {
        throw new Error(reason);
      },
    });
  }

  /** Capture runs, and what was there at the start is known. */
  ready(): Promise<void> {
    return this.#ready;
  }

  status(): CaptureStatus {
    return this.#capture.status();
  }

  /** What a process spent on the connection that it told of. */
  edges(spent: Spent): Promise<Edges> {
    return eventually(() => {
      const cookie = this.#cookies.get(socketKey(spent.localPort, spent.remotePort));
      const [began, ended] = [1, 2].map((kind) => this.#edges.get(edgeKey(kind, cookie ?? 0, spent.pid)));
      if (began === undefined || ended === undefined)
        throw new Error(`no edges of ${JSON.stringify(spent)}: ${JSON.stringify({ cookie, began, ended })}`);
      return { began, ended };
    });
  }

  /** The socket of the connection that a process told of, once it has ended. */
  endOf(spent: Spent): number | undefined {
    const cookie = this.#cookies.get(socketKey(spent.localPort, spent.remotePort));
    return this.told.some((each) => each.kind === 'socket' && each.cookie === cookie) ? cookie : undefined;
  }

  async stop(): Promise<void> {
    await this.#capture.stop();
  }

  #take(batch: Batch): void {
    const { process, socket, usage, tier } = batch;
    for (let row = 0; row < process.rows; row++)
      if (process.kind[row] === 3) this.exits.set(process.pid[row] ?? 0, process.timeNs[row] ?? 0);
    for (let row = 0; row < tier.rows; row++)
      this.tiers.push({
        name: batch.text(tier.name[row] ?? 0) ?? '',
        on: tier.on[row] === 1,
        reason: batch.text(tier.reason[row] ?? 0),
      });
    for (let row = 0; row < usage.rows; row++) {
      const reading = Object.fromEntries(COLUMNS.map((name) => [name, usage[name][row]])) as unknown as Reading;
      if (reading.kind === 0) {
        const known = this.samples.get(reading.pid);
        if (known === undefined) this.samples.set(reading.pid, [reading]);
        else known.push(reading);
      } else {
        this.told.push({ kind: reading.kind === 1 ? 'began' : 'ended', cookie: reading.cookie });
        this.#edges.set(edgeKey(reading.kind, reading.cookie, reading.pid), reading);
      }
    }
    for (let row = 0; row < socket.rows; row++) {
      const cookie = socket.cookie[row] ?? 0;
      this.#cookies.set(socketKey(socket.localPort[row] ?? 0, socket.remotePort[row] ?? 0), cookie);
      if (socket.kind[row] === 3) this.told.push({ kind: 'socket', cookie });
    }
  }
}

const socketKey = (localPort: number, remotePort: number) => `${localPort} ${remotePort}`;
const edgeKey = (kind: number, cookie: number, pid: number) => `${kind} ${cookie} ${pid}`;
