/** HTTP exchanges as capture hands them over, before anything is made of them. */
import { Capture, decodeBatch, type Batch } from '../../../src/capture/index.js';
import { fromSet, loadConfig, thisMachine } from '../../../src/config/index.js';
import { eventually } from './eventually.js';

const NUMBERS = [
  ...['kind', 'side', 'version', 'flags', 'usageFlags', 'cookie', 'ordinal', 'timeNs', 'requestStartNs'],
  ...['requestEndNs', 'responseStartNs', 'responseEndNs', 'status', 'requestBytes', 'responseBytes'],
  ...['pid', 'startNs', 'tid', 'windowFromNs', 'windowToNs', 'cpuNs', 'memoryBytes', 'peakMemoryBytes'],
  ...['minorFaults', 'threadCpuNs', 'threadMinorFaults'],
] as const;
const TEXTS = ['method', 'target', 'host', 'userAgent', 'threadName'] as const;

type Column<Names extends readonly string[]> = Names[number] & keyof Batch['exchange'];

/** A row of table `exchange`. */
export type ExchangeRow = Readonly<Record<Column<typeof NUMBERS>, number>> &
  Readonly<Record<(typeof TEXTS)[number], string | null>>;

export const CLIENT = 0;
export const SERVER = 1;

/** Captures in this process, whose own traffic counts, too; of the host's traffic that of some ports. */
export class ExchangeRows {
  /** Exchanges that were told to go on, and those that were told to be over. */
  readonly started: ExchangeRow[] = [];
  readonly ended: ExchangeRow[] = [];
  readonly losses = new Map<string, number>();
  readonly #ready: Promise<void>;
  readonly #capture: Capture;

  constructor(ports: readonly number[]) {
    const settings = ['capture.keepOwnTraffic=true', `capture.filter.keep.ports=${ports.join(',')}`];
    const flags = settings.map(fromSet);
    const config = loadConfig({ file: undefined, env: {}, flags, machine: thisMachine() });
    let ready: () => void = () => undefined;
    this.#ready = new Promise((resolve) => (ready = resolve));
    this.#capture = Capture.start({
      config: config.capture,
      budgetPercent: 0,
      ownPorts: [],
      onBatch: (buffer) => {
        this.#take(decodeBatch(buffer));
        ready();
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

  /** How often the kernel programs ran, as it is read now and then. */
  runs(program: string): number {
    return this.#capture.status().programRuns[program] ?? 0;
  }

  /** The two sides of the exchange with this target, once both are over. */
  both(target: string): Promise<{ readonly client: ExchangeRow; readonly server: ExchangeRow }> {
    return eventually(() => {
      const rows = this.ended.filter((row) => row.target === target);
      const client = rows.find(({ side }) => side === CLIENT);
      const server = rows.find(({ side }) => side === SERVER);
      if (client === undefined || server === undefined || rows.length !== 2)
        throw new Error(`exchanges of ${target}: ${JSON.stringify(rows)}`);
      return { client, server };
    });
  }

  lost(): Record<string, number> {
    return Object.fromEntries([...this.losses].filter(([, count]) => count > 0));
  }

  async stop(): Promise<void> {
    await this.#capture.stop();
  }

  #take(batch: Batch): void {
    const { exchange, loss } = batch;
    for (let row = 0; row < exchange.rows; row++) {
      const numbers = NUMBERS.map((name) => [name, exchange[name][row]]);
      const texts = TEXTS.map((name) => [name, batch.text(exchange[name][row] ?? 0)]);
      const told = Object.fromEntries([...numbers, ...texts]) as ExchangeRow;
      (told.kind === 0 ? this.started : this.ended).push(told);
    }
    for (let row = 0; row < loss.rows; row++)
      this.losses.set(batch.text(loss.place[row] ?? 0) ?? '', loss.count[row] ?? 0);
  }
}
