import { join } from 'node:path';
import { Child } from './children.js';
import { buildGenerators, generatorsDirectory, type Options } from './generator.js';
import { RawClient } from './raw-client.js';

/** What the server says that a request has cost, from the call that took it to the one that answered. */
export interface Cost {
  readonly target: string;
  readonly pid: number;
  /** The thread that served it. */
  readonly tid: number;
  readonly cpuNs: number;
  readonly threadCpuNs: number;
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

/** A server that knows what its requests cost it. */
export class MeasuredServer {
  #asked = 0;

  private constructor(
    private readonly child: Child,
    readonly port: number,
    private readonly costs: AsyncGenerator<string>,
  ) {}

  static async start(options: Options = {}): Promise<MeasuredServer> {
    await buildGenerators();
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const child = new Child(join(generatorsDirectory, 'serve'), args);
    const lines = child.lines();
    const { value } = (await lines.next()) as IteratorResult<string, undefined>;
    if (value === undefined) throw new Error(`the server does not start: ${child.stderr}`);
    return new MeasuredServer(child, (JSON.parse(value) as { port: number }).port, lines);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** A connection, which may be kept. */
  connect(): Promise<RawClient> {
    return RawClient.open(this.port);
  }

  /** Has a request served. */
  async ask(connection: RawClient, target: string): Promise<void> {
    connection.clear();
    await connection.send(`GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await connection.until((text) => text.endsWith('ok\n'));
  }

  /** A target that no other request has, for so much of a kind of work. */
  target(work: string, amount = 0): string {
    return `/${work}/${amount}/${this.#asked++}`;
  }

  /** What a request has cost whose answer has come; in the order of their ends. */
  async cost(): Promise<Cost> {
    const { value } = (await this.costs.next()) as IteratorResult<string, undefined>;
    if (value === undefined) throw new Error(`the server is gone: ${this.child.stderr}`);
    return JSON.parse(value) as Cost;
  }

  async stop(): Promise<void> {
    this.child.process.kill('SIGKILL');
    // What nobody asked for is still to be read: until then its output has not ended.
    while ((await this.costs.next()).done !== true);
    await this.child.ended;
  }
}
