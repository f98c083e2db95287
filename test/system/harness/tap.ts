import { AddressTexts } from '../../../src/capture/address.js';
import { Capture, decodeBatch, type Batch } from '../../../src/capture/index.js';
import { TABLES, type ColumnType, type TableName } from '../../../src/capture/layout.js';
import { fromSet, loadConfig, thisMachine } from '../../../src/config/index.js';
import { eventually } from './eventually.js';

/** A row of a batch with plain values: texts are null when unknown, addresses are texts. */
export type Row<N extends TableName> = {
  readonly [C in keyof (typeof TABLES)[N]]: (typeof TABLES)[N][C] extends 'str'
    ? string | null
    : (typeof TABLES)[N][C] extends 'addr'
      ? string
      : number;
};

/** Numbers that columns of a row must have. */
type Where<N extends TableName> = {
  readonly [C in keyof (typeof TABLES)[N] as (typeof TABLES)[N][C] extends 'str' | 'addr' ? never : C]?: number;
};

/** Batches are kept up to so many bytes: the whole machine's traffic is in them. */
const KEPT_BYTES = 256 * 1024 * 1024;

/** Capture by itself, in this process: what the addon hands over, before anybody makes flows of it. */
export class Tap {
  readonly #batches: Batch[] = [];
  #bytes = 0;
  readonly #addresses = new AddressTexts();
  readonly #capture: Capture;
  readonly #tiers: Row<'tier'>[] = [];
  readonly #losses = new Map<string, number>();
  #failure: string | null = null;

  private constructor(settings: readonly string[]) {
    const flags = settings.map((setting) => fromSet(setting));
    const config = loadConfig({ file: '/dev/null', env: {}, flags, machine: thisMachine() }).capture;
    this.#capture = Capture.start({
      config: { ...config, source: 'ebpf' },
      budgetPercent: 0,
      ownPorts: [],
      onBatch: (batch) => this.#take(decodeBatch(batch)),
      onFailure: (reason) => (this.#failure = reason),
    });
  }

  /** Starts with settings like `capture.packets.firstPackets=4`, and waits until the sockets that are there are known. */
  static async start(...settings: string[]): Promise<Tap> {
    const tap = new Tap(settings);
    await eventually(() => {
      if (tap.status.lastPollMs === null) throw new Error('no poll yet');
    });
    return tap;
  }

  /** The rows with these numbers, oldest first. */
  rows<N extends 'socket' | 'application' | 'peer'>(table: N, where: Where<N> = {}): Row<N>[] {
    if (this.#failure !== null) throw new Error(`capture has ended: ${this.#failure}`);
    return this.#batches.flatMap((batch) => this.#rowsOf(batch, table, where));
  }

  /** Rows of all tiers, in the order of their changes. */
  get tiers(): readonly Row<'tier'>[] {
    return this.#tiers;
  }

  /** Losses by place, as they were told last. */
  get losses(): ReadonlyMap<string, number> {
    return this.#losses;
  }

  get status(): ReturnType<Capture['status']> {
    return this.#capture.status();
  }

  setTier(name: 'packets' | 'messages', on: boolean, reason: string): void {
    this.#capture.setTier(name, on, reason);
  }

  async stop(): Promise<void> {
    await this.#capture.stop();
  }

  #take(batch: Batch): void {
    this.#tiers.push(...this.#rowsOf(batch, 'tier', {}));
    for (const { place, count } of this.#rowsOf(batch, 'loss', {})) this.#losses.set(place ?? '', count);
    this.#batches.push(batch);
    this.#bytes += batch.buffer.byteLength;
    while (this.#bytes > KEPT_BYTES) this.#bytes -= this.#batches.shift()?.buffer.byteLength ?? 0;
  }

  #rowsOf<N extends 'socket' | 'application' | 'peer' | 'tier' | 'loss'>(
    batch: Batch,
    name: N,
    where: Where<N>,
  ): Row<N>[] {
    const table = batch[name] as unknown as { readonly rows: number } & Readonly<Record<string, Uint32Array>>;
    const wanted = Object.entries<number>(where as Record<string, number>);
    const found: Row<N>[] = [];
    for (let row = 0; row < table.rows; row++) {
      if (wanted.some(([column, value]) => table[column]?.[row] !== value)) continue;
      const values = Object.entries<ColumnType>(TABLES[name]).map(([column, type]) => {
        const array = table[column] ?? new Uint32Array();
        const value = array[row] ?? 0;
        return [column, type === 'str' ? batch.text(value) : type === 'addr' ? this.#addresses.at(array, row) : value];
      });
      found.push(Object.fromEntries(values) as Row<N>);
    }
    return found;
  }
}
