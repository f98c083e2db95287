import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './children.js';
import { eventually, Hopeless } from './eventually.js';
import { FLOW_FIELDS, type FlowView } from './flow-view.js';

const main = fileURLToPath(new URL('../../../src/main.js', import.meta.url));

export interface AgentOptions {
  readonly flags?: readonly string[];
  /** What comes before `node main.js`: another user, a limit. */
  readonly prefix?: readonly string[];
  /** Where the program is, when not in the build. */
  readonly main?: string;
  /** Keeps to its budget. Others put nothing off, however busy the machine is. */
  readonly governed?: boolean;
  /** A directory of the agent's own; made and removed when left out. */
  readonly directory?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface HostView {
  readonly source: string;
  readonly sourceReason: string | null;
  readonly agentPid: number;
  readonly agentMemoryBytes: number;
  readonly liveFlows: number;
  readonly liveProcesses: number;
  readonly losses: readonly { readonly place: string; readonly count: number }[];
  readonly tiers: readonly { readonly name: string; readonly state: string; readonly reason: string | null }[];
  readonly programRuns: readonly { readonly program: string; readonly runs: number }[];
}

const HOST_FIELDS = `source sourceReason agentPid agentMemoryBytes liveFlows liveProcesses
  losses { place count } tiers { name state reason } programRuns { program runs }`;

const START_MS = 60_000;
/** An agent that has not answered after so long hangs. */
const ANSWER_MS = 30_000;
/** Rows of one page; the API's own default bound. */
const PAGE = 2000;

/** The built agent, with files and sockets of its own. It is spoken to over its unix socket, which makes no flows. */
export class Agent {
  private constructor(
    readonly child: Child,
    readonly directory: string,
    private readonly ownsDirectory: boolean,
  ) {}

  /** Starts the agent and waits until it is ready. */
  static async start(options: AgentOptions = {}): Promise<Agent> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'procflow-test-'));
    const [command = '', ...args] = [
      ...(options.prefix ?? []),
      process.execPath,
      options.main ?? main,
      'run',
      ...agentFlags(directory),
      ...(options.flags ?? []),
    ];
    const env = {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      ...(options.governed === true ? {} : { PROCFLOW_GOVERNOR_BUDGET_PERCENT: '0' }),
    };
    const agent = new Agent(
      new Child(command, args, { env, cwd: directory }),
      directory,
      options.directory === undefined,
    );
    try {
      await eventually(async () => {
        const { status } = await agent.get('/readyz');
        if (status !== 200) throw new Error(`/readyz answers ${status}`);
      }, START_MS);
    } catch (error) {
      const stderr = agent.child.stderr;
      await agent.kill();
      throw new Error(`the agent does not become ready: ${String(error)}\n${stderr}`, { cause: error });
    }
    return agent;
  }

  get socket(): string {
    return join(this.directory, 'api.sock');
  }

  get log(): string {
    return this.child.stderr;
  }

  /** The TCP port of the API, as the log tells it. */
  get port(): number {
    const port = /127\.0\.0\.1:(\d+)/.exec(this.log)?.[1];
    if (port === undefined) throw new Error(`the log does not tell the port: ${this.log}`);
    return Number(port);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#ask('GET', path, headers);
  }

  post(path: string, body: object): Promise<Answer> {
    return this.#ask('POST', path, { 'content-type': 'application/json' }, JSON.stringify(body));
  }

  async rest<T>(path: string): Promise<T> {
    const { status, text } = await this.get(path);
    if (status !== 200) throw new Error(`GET ${path} answers ${status}: ${text}`);
    return JSON.parse(text) as T;
  }

  async graphql<T>(query: string, variables: object = {}): Promise<T> {
    const { status, text } = await this.post('/graphql', { query, variables });
    const { data, errors } = JSON.parse(text) as { data?: T; errors?: unknown };
    if (errors !== undefined || data === undefined) throw new Error(`GraphQL answers ${status}: ${text}`);
    return data;
  }

  async host(): Promise<HostView> {
    return (await this.graphql<{ host: HostView }>(`{ host { ${HOST_FIELDS} } }`)).host;
  }

  /** All flows that pass the filter, page by page. */
  async flows(where: object): Promise<FlowView[]> {
    const query = `query ($where: FlowFilter, $after: String) {
      flows(where: $where, first: ${PAGE}, after: $after) { nodes { ${FLOW_FIELDS} } pageInfo { hasNextPage endCursor } } }`;
    const all: FlowView[] = [];
    let after: string | null = null;
    while (true) {
      const { flows }: { flows: FlowPage } = await this.graphql<{ flows: FlowPage }>(query, { where, after });
      all.push(...flows.nodes);
      if (!flows.pageInfo.hasNextPage) return all;
      after = flows.pageInfo.endCursor;
    }
  }

  /** A request whose answer goes on; the caller reads it, or not. */
  stream(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.socket, path, headers: { host: 'localhost', ...headers } }, resolve);
      asked.once('error', reject).end();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.child.process.kill(name);
  }

  /** Asks it to stop, and waits until it has. */
  async stop(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    this.signal('SIGTERM');
    const ended = await this.child.ended;
    this.#removeDirectory();
    return ended;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.child.ended;
    this.#removeDirectory();
  }

  #removeDirectory(): void {
    if (this.ownsDirectory) rmSync(this.directory, { recursive: true, force: true });
  }

  #ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.child.isRunning) throw new Hopeless(`the agent is gone: ${this.log}`);
      const options = { socketPath: this.socket, method, path, headers: { host: 'localhost', ...headers } };
      const asked = request(options, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => (text += chunk))
          .once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
          .once('error', reject);
      });
      asked.setTimeout(ANSWER_MS, () => asked.destroy(new Hopeless(`no answer to ${method} ${path}: ${this.log}`)));
      asked.once('error', reject).end(body);
    });
  }
}

interface FlowPage {
  readonly nodes: readonly FlowView[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** What keeps an agent apart from every other one on the machine. */
export function agentFlags(directory: string): string[] {
  return [
    ...['--port', '0', '--socket', join(directory, 'api.sock')],
    ...['--api-tokens-file', join(directory, 'tokens.json'), '--log-format', 'json'],
  ];
}
