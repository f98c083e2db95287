/** GraphQL over WebSocket: graphql-ws speaks the protocol, the hub sends the events. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  OperationTypeNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, makeServer, type Context } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { ProcflowError } from '../../errors.js';
import type { Guard, Principal } from '../auth/index.js';
import { BUSY_BYTES } from '../http/http-sink.js';
import type { EndReason, Sink, Subscribed } from '../stream/index.js';
import { asGraphQLError, type Prepared } from './documents.js';
import { presentError } from './present-error.js';
import { checkRequest, isErrors, runOnce, type DoorOptions } from './sse-door.js';

export interface WsOptions extends DoorOptions {
  readonly schema: GraphQLSchema;
  readonly guard: Guard;
  readonly maxMessageBytes: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly pingMs?: number;
}

/** Close codes beside those of the protocol. */
export const CLOSE_TOO_SLOW = 4499;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_INTERNAL = 4500;
const PING_MS = 15_000;
/** How long a client has to answer the closing handshake. */
const CLOSE_GRACE_MS = 1000;

/** One connection. */
interface Connection {
  readonly ws: WebSocket;
  readonly socket: Socket;
  /** Null until a token comes with the first message. */
  principal: Principal | null;
  operations: number;
  readonly subscribed: Set<Subscribed>;
  isAlive: boolean;
}

type WsContext = Context<Record<string, unknown>, Connection>;

/** What an operation carries from one hook of graphql-ws to the next. */
interface OperationContext {
  readonly connection: Connection;
  readonly principal: Principal;
  readonly id: string;
  readonly prepared: Prepared;
}

export class WsDoor {
  readonly #server: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #protocol;
  readonly #pingTimer: NodeJS.Timeout;

  constructor(private readonly options: WsOptions) {
    this.#server = new WebSocketServer({
      noServer: true,
      // Events are made once for all subscribers; compressing would make them again for each.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: (protocols) =>
        protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
    });
    this.#protocol = makeServer<Record<string, unknown>, Connection>({
      schema: options.schema,
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, id, payload) => this.#prepare(context.extra, id, payload),
      onError: (_context, _id, _payload, errors) => {
        return errors.map((error) => presentError(error.toJSON(), error, options.report));
      },
      execute: (args) => this.#execute(args),
      subscribe: (args) => this.#subscribe(args),
    });
    this.#pingTimer = setInterval(() => this.#ping(), options.pingMs ?? PING_MS);
    this.#pingTimer.unref();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Takes over an upgrade that the guard let pass. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer, principal: Principal | null): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, socket, principal));
  }

  /** Says goodbye to everybody; those that do not answer are cut off. */
  close(): void {
    clearInterval(this.#pingTimer);
    for (const { ws } of this.#connections) closeSocket(ws, CLOSE_GOING_AWAY, 'The agent stops');
    this.#server.close();
  }

  terminate(): void {
    for (const { ws } of this.#connections) ws.terminate();
  }

  #open(ws: WebSocket, socket: Socket, principal: Principal | null): void {
    const connection: Connection = { ws, socket, principal, operations: 0, subscribed: new Set(), isAlive: true };
    this.#connections.add(connection);
    let onMessage: ((data: string) => Promise<void>) | undefined;
    const closed = this.#protocol.opened(
      {
        protocol: ws.protocol,
        send: (data) => new Promise((resolve, reject) => ws.send(data, (error) => (error ? reject(error) : resolve()))),
        close: (code, reason) => closeSocket(ws, code ?? CLOSE_INTERNAL, reason ?? ''),
        onMessage: (callback) => (onMessage = callback),
      },
      connection,
    );
    ws.on('message', (data: Buffer) => {
      onMessage?.(data.toString()).catch((error: unknown) => {
        // A message that breaks the protocol, or a socket that went while it was answered.
        if (ws.readyState === ws.OPEN) closeSocket(ws, 4400, error instanceof Error ? error.message.slice(0, 100) : '');
      });
    });
    ws.on('pong', () => (connection.isAlive = true));
    // The close that follows says all.
    ws.on('error', () => undefined);
    socket.on('drain', () => {
      for (const subscribed of connection.subscribed) subscribed.drained();
    });
    ws.once('close', (code, reason) => {
      this.#connections.delete(connection);
      closed(code, reason.toString()).catch(this.options.report);
    });
  }

  #connect({ extra, connectionParams }: WsContext): boolean {
    const authorization = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
    if (typeof authorization !== 'string') return extra.principal !== null;
    try {
      extra.principal = this.options.guard.verify(authorization);
      return true;
    } catch (error) {
      if (!(error instanceof ProcflowError)) this.options.report(error);
      return false;
    }
  }

  #prepare(connection: Connection, id: string, payload: unknown): ExecutionArgs | readonly GraphQLError[] {
    const { documents, maxSubscriptionsPerConnection, schema } = this.options;
    const { principal } = connection;
    try {
      if (principal === null) throw new ProcflowError('UNAUTHENTICATED', 'the connection has no token');
      const prepared = documents.prepare(checkRequest(payload));
      if (isErrors(prepared)) return prepared;
      if (
        prepared.operation.operation === OperationTypeNode.SUBSCRIPTION &&
        connection.operations >= maxSubscriptionsPerConnection
      ) {
        throw new ProcflowError(
          'TOO_MANY_SUBSCRIPTIONS',
          `a connection has at most ${maxSubscriptionsPerConnection} subscriptions (api.maxSubscriptionsPerConnection)`,
        );
      }
      const contextValue: OperationContext = { connection, principal, id, prepared };
      const { document, operationName, variables } = prepared;
      return { schema, document, operationName, variableValues: variables, contextValue };
    } catch (error) {
      return [asGraphQLError(error)];
    }
  }

  #execute({ contextValue }: ExecutionArgs): Promise<ExecutionResult> {
    const { prepared, principal } = contextValue as OperationContext;
    return runOnce(this.options, prepared, principal);
  }

  /**
   * graphql-ws is given a stream without values: it keeps the books (ids, complete, close), while the hub writes the values
   * itself, made once for all subscribers.
   */
  #subscribe({ contextValue }: ExecutionArgs): AsyncGenerator<ExecutionResult> {
    const { connection, principal, id, prepared } = contextValue as OperationContext;
    connection.operations++;
    let subscribed: Subscribed | undefined;
    return new Silent(
      (finish) => {
        subscribed = this.options.subscriptions.open(prepared, principal.scopes, new WsSink(connection, id, finish));
        connection.subscribed.add(subscribed);
      },
      () => {
        connection.operations--;
        if (subscribed === undefined) return;
        connection.subscribed.delete(subscribed);
        subscribed.leave();
      },
    );
  }

  #ping(): void {
    for (const connection of this.#connections) {
      if (!connection.isAlive) {
        connection.ws.terminate();
        continue;
      }
      connection.isAlive = false;
      connection.ws.ping();
    }
  }
}

/** One operation's share of a connection. */
class WsSink implements Sink {
  readonly #head: Buffer;

  constructor(
    private readonly connection: Connection,
    id: string,
    private readonly finish: () => void,
  ) {
    this.#head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  }

  isBusy(): boolean {
    return this.connection.socket.writableLength > BUSY_BYTES;
  }

  get sentBytes(): number {
    return this.connection.socket.bytesWritten - this.connection.socket.writableLength;
  }

  /** The payload is the same memory for all subscribers: one message in three fragments, sent by one system call. */
  write(payload: Buffer): void {
    const { ws, socket } = this.connection;
    if (ws.readyState !== ws.OPEN) return;
    socket.cork();
    ws.send(this.#head, { binary: false, fin: false });
    ws.send(payload, { binary: false, fin: false });
    ws.send('}', { binary: false, fin: true });
    socket.uncork();
  }

  end(reason: EndReason): void {
    if (reason === 'SHUTDOWN') this.finish();
    else closeSocket(this.connection.ws, CLOSE_TOO_SLOW, 'Too slow: nothing was read for too long');
  }
}

/** A stream that gives no value and lasts until it is finished from either side. */
class Silent implements AsyncGenerator<ExecutionResult> {
  #isStarted = false;
  #isFinished = false;
  #wake: ((result: IteratorResult<ExecutionResult>) => void) | undefined;

  constructor(
    private readonly start: (finish: () => void) => void,
    private readonly stop: () => void,
  ) {}

  next(): Promise<IteratorResult<ExecutionResult>> {
    if (this.#isFinished) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      if (!this.#isStarted) {
        this.#isStarted = true;
        try {
          this.start(() => this.#finish());
        } catch (error) {
          this.#finish();
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
      }
      this.#wake = resolve;
    });
  }

  return(): Promise<IteratorResult<ExecutionResult>> {
    this.#finish();
    return Promise.resolve(DONE);
  }

  throw(error: unknown): Promise<IteratorResult<ExecutionResult>> {
    this.#finish();
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.stop();
    this.#wake?.(DONE);
  }
}

const DONE = { done: true, value: undefined } as const;

function closeSocket(ws: WebSocket, code: number, reason: string): void {
  if (ws.readyState !== ws.OPEN) return;
  ws.close(code, reason);
  const timer = setTimeout(() => ws.terminate(), CLOSE_GRACE_MS);
  timer.unref();
  ws.once('close', () => clearTimeout(timer));
}
