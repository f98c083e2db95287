import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Request } from 'express';
import { ProcflowError } from '../errors.js';
import type { LiveState } from '../correlate/live-state.js';
import type { ExporterStatus } from '../export/index.js';
import type { Logger } from '../log.js';
import type { Scope } from '../tokens.js';
import { Guard, isLoopback, type Door, type Principal, type TokenVerifier } from './auth/index.js';
import { createApollo } from './graphql/apollo.js';
import { Documents } from './graphql/documents.js';
import { Executor } from './graphql/executor.js';
import type { HostView } from './graphql/mapped.js';
import { loadSchema } from './graphql/schema.js';
import type { DoorOptions } from './graphql/sse-door.js';
import { Subscriptions } from './graphql/subscriptions.js';
import { WsDoor } from './graphql/ws-door.js';
import { createApp } from './http/app.js';
import { OpenStreams } from './http/http-sink.js';
import { listenTcp, listenUnix, type Listener, type ListenerHandlers } from './http/listeners.js';
import { asProblem, problemText } from './http/problem.js';
import { RequestCounts } from './http/request-counts.js';
import { Caller, Queries } from './query/index.js';
import { createHandlers } from './rest/handlers.js';
import { loadSpec } from './rest/spec.js';
import { Hub } from './stream/index.js';

/** The `api` part of the configuration. */
export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly socket: string | null;
  readonly socketGroup: string | null;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly maxDepth: number;
  readonly maxCost: number;
  readonly maxPageSize: number;
  readonly maxBodyBytes: number;
  readonly queryTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly subscriberBufferEvents: number;
}

export interface ApiOptions {
  readonly state: LiveState;
  readonly config: ApiConfig;
  readonly tokens: TokenVerifier;
  /** How the export to each collector goes. */
  exporters(): readonly ExporterStatus[];
  /** Whether capture and correlator run: what /readyz answers. */
  ready(): boolean;
  readonly log: Logger;
  /** A subscriber that reads nothing for so long is cut off. */
  readonly stuckMs?: number;
  readonly pingMs?: number;
}

export interface ApiStats {
  readonly requests: number;
  readonly subscribers: number;
  readonly connections: number;
  /** Events dropped because subscribers read too slowly. */
  readonly dropped: number;
}

export interface Api {
  /** Where it listens, for people; and the TCP port, which may have been chosen by the system. */
  readonly addresses: readonly string[];
  readonly port: number;
  stats(): ApiStats;
  /** Ends streams with a last event, answers what was asked, and closes; within 1.5 s. Harmless when called twice. */
  stop(): Promise<void>;
}

const STUCK_MS = 30_000;
const DRAIN_MS = 1000;
const IDLE_CHECK_MS = 10;

/**
 * Starts all doors of the agent: GraphQL, REST and streams over TCP and a unix socket.
 * @throws ProcflowError LISTEN_REFUSED for an address that is not loopback while there is no token, LISTEN_FAILED
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { config, tokens } = options;
  const tcpDoor: Door = isLoopback(config.host) ? 'loopback' : 'network';
  if (tcpDoor === 'network' && !tokens.isConfigured()) {
    throw new ProcflowError(
      'LISTEN_REFUSED',
      `listening on ${config.host} would let anybody read this host's flows: make a token first (procflow token create NAME --scope flows:read …), or listen on 127.0.0.1`,
    );
  }
  const server = new ApiServer(options);
  await server.listen(tcpDoor);
  return server;
}

class ApiServer implements Api {
  readonly #hub: Hub;
  readonly #streams: OpenStreams;
  readonly #requests = new RequestCounts();
  readonly #queries: Queries;
  readonly #guard: Guard;
  readonly #report: (error: unknown) => void;
  readonly #doors = new WeakMap<IncomingMessage, Door>();
  readonly #listeners: Listener[] = [];
  #ws: WsDoor | undefined;
  #stopped: Promise<void> | undefined;

  constructor(private readonly options: ApiOptions) {
    const { state, config, tokens, log } = options;
    this.#report = (error) => log.error({ err: error }, 'a request failed by our fault');
    this.#hub = new Hub(state, {
      bufferEvents: config.subscriberBufferEvents,
      stuckMs: options.stuckMs ?? STUCK_MS,
      clockMs: () => performance.now(),
      report: (error) => this.#report(error),
    });
    this.#streams = new OpenStreams(options.pingMs);
    this.#queries = new Queries(state, config.maxPageSize);
    this.#guard = new Guard({
      listenHost: config.host,
      allowedHosts: config.allowedHosts,
      allowedOrigins: config.allowedOrigins,
      tokens,
    });
  }

  get addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address);
  }

  get port(): number {
    return this.#listeners.find(({ port }) => port !== null)?.port ?? 0;
  }

  stats(): ApiStats {
    return {
      requests: this.#requests.total,
      subscribers: this.#hub.subscribers,
      connections: (this.#ws?.connections ?? 0) + this.#streams.size,
      dropped: this.#hub.dropped,
    };
  }

  async listen(tcpDoor: Door): Promise<void> {
    const handlers = await this.#handlers();
    const { host, port, socket, socketGroup, maxConnections } = this.options.config;
    try {
      this.#listeners.push(await listenTcp(host, port, tcpDoor, handlers, { maxConnections }));
      if (socket !== null) this.#listeners.push(await listenUnix(socket, socketGroup, handlers, { maxConnections }));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    const closed = Promise.all(this.#listeners.map((listener) => listener.close()));
    this.#hub.endAll('SHUTDOWN');
    // One turn, so that the last words of operations go before the closing of their connections.
    await new Promise((resolve) => setImmediate(resolve));
    this.#ws?.close();
    const cut = setTimeout(() => {
      this.#ws?.terminate();
      for (const listener of this.#listeners) listener.cut();
    }, DRAIN_MS);
    const closeIdle = setInterval(() => {
      for (const listener of this.#listeners) listener.closeIdle();
    }, IDLE_CHECK_MS);
    await closed;
    clearTimeout(cut);
    clearInterval(closeIdle);
    this.#hub.close();
    this.#streams.close();
  }

  async #handlers(): Promise<ListenerHandlers> {
    const { config, log } = this.options;
    const schema = loadSchema();
    const spec = loadSpec();
    const executor = new Executor(schema);
    const report = this.#report;
    const host = (): HostView => this.#host();
    const caller = (scopes: readonly Scope[]): Caller => {
      return new Caller(scopes, this.options.state.nowMicros(), config.queryTimeoutMs);
    };
    const queries = this.#queries;
    const subscriptions = new Subscriptions({ schema, executor, queries, hub: this.#hub, report, caller, host });
    const doors: DoorOptions = {
      documents: new Documents(schema, config),
      executor,
      subscriptions,
      report,
      caller,
      context: (by) => {
        // Asked for each flow of an answer, and the same for all.
        let view: HostView | undefined;
        return { queries, caller: by, host: () => (view ??= host()) };
      },
    };
    const apollo = createApollo({ schema, executor, limits: config, log, report });
    await apollo.start();
    this.#ws = new WsDoor({
      ...doors,
      schema,
      guard: this.#guard,
      maxMessageBytes: config.maxBodyBytes,
      maxSubscriptionsPerConnection: config.maxSubscriptionsPerConnection,
      ...(this.options.pingMs !== undefined && { pingMs: this.options.pingMs }),
    });
    const { id, name } = this.options.state.status();
    const app = createApp({
      apollo,
      doors,
      guard: this.#guard,
      streams: this.#streams,
      spec,
      handlers: createHandlers({ spec, queries, hub: this.#hub, streams: this.#streams, host, hostName: { id, name } }),
      requests: this.#requests,
      maxBodyBytes: config.maxBodyBytes,
      report,
      isReady: () => this.options.ready(),
      isStopping: () => this.#stopped !== undefined,
      host,
      doorOf: (request: Request) => this.#doors.get(request) ?? 'network',
    });
    return {
      onRequest: (request: IncomingMessage, response: ServerResponse, door: Door) => {
        this.#doors.set(request, door);
        app(request as Request, response as never);
      },
      onUpgrade: (request, socket, head, door) => this.#upgrade(request, socket, head, door),
    };
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer, door: Door): void {
    socket.on('error', () => socket.destroy());
    try {
      if (this.#stopped !== undefined) throw new ProcflowError('UNAVAILABLE', 'the agent stops');
      if (request.url?.split('?', 1)[0] !== '/graphql') {
        throw new ProcflowError('NOT_FOUND', 'WebSockets are answered at /graphql');
      }
      this.#guard.checkHeaders(request, door);
      this.#ws?.accept(request, socket, head, this.#upgradePrincipal(request, door));
    } catch (error) {
      refuseUpgrade(socket, error, this.#report);
    }
  }

  /** Browsers cannot send a token with the upgrade: where one is needed it may come with the first message. */
  #upgradePrincipal(request: IncomingMessage, door: Door): Principal | null {
    if (door === 'network' && request.headers.authorization === undefined) return null;
    return this.#guard.authenticate(request, door);
  }

  #host(): HostView {
    const status = this.options.state.status();
    const exporters = this.options.exporters();
    const losses = [
      ...status.losses,
      { place: 'subscriber', count: this.#hub.dropped },
      { place: 'exporter', count: exporters.reduce((sum, { notSentRecords }) => sum + notSentRecords, 0) },
    ];
    return { ...status, losses, subscribers: this.#hub.subscribers, exporters };
  }
}

function refuseUpgrade(socket: Socket, error: unknown, report: (error: unknown) => void): void {
  const problem = asProblem(error) ?? new ProcflowError('INTERNAL', 'Internal error');
  if (problem.code === 'INTERNAL') report(error);
  const body = problemText(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nConnection: close\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
