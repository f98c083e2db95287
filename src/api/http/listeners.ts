import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ProcflowError } from '../../errors.js';
import type { Door } from '../auth/index.js';
import { chownToGroup } from './socket-group.js';

export interface ListenerHandlers {
  onRequest(request: IncomingMessage, response: ServerResponse, door: Door): void;
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, door: Door): void;
}

export interface ListenerLimits {
  readonly maxConnections: number;
}

/** One address that is listened on. */
export interface Listener {
  /** For people: `http://127.0.0.1:7441` or `unix:/run/procflow.sock`. */
  readonly address: string;
  readonly port: number | null;
  /** Accepts no more; resolves when all connections have ended. */
  close(): Promise<void>;
  /** Closes connections on which nothing is under way: those kept open after their last answer. */
  closeIdle(): void;
  /** Cuts every connection. */
  cut(): void;
}

/** Times a client has to send what it began to send. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_HEADER_BYTES = 16 * 1024;

/** @throws ProcflowError LISTEN_FAILED */
export async function listenTcp(
  host: string,
  port: number,
  door: Door,
  handlers: ListenerHandlers,
  limits: ListenerLimits,
): Promise<Listener> {
  const server = makeServer(door, handlers, limits);
  await listening(server, { host, port }, `${host}:${port}`);
  const bound = server.address() as AddressInfo;
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { address: `http://${shown}:${bound.port}`, port: bound.port, ...closing(server) };
}

/**
 * Listens on a unix socket that its owner and group may use. A socket file that nobody listens on any more is replaced.
 * @throws ProcflowError LISTEN_FAILED
 */
export async function listenUnix(
  path: string,
  group: string | null,
  handlers: ListenerHandlers,
  limits: ListenerLimits,
): Promise<Listener> {
  await removeStale(path);
  const server = makeServer('unix', handlers, limits);
  // The file must not be open to others for even a moment: it is made closed, and opened for the group then.
  mkdirSync(dirname(path), { recursive: true });
  const previous = process.umask(0o177);
  // The file is made within the call; what other code makes meanwhile must not get this mask.
  const bound = listening(server, { path }, path);
  process.umask(previous);
  await bound;
  try {
    if (group !== null) chownToGroup(path, group);
    chmodSync(path, 0o660);
  } catch (cause) {
    server.close();
    throw cause instanceof ProcflowError ? cause : failed(path, cause);
  }
  return { address: `unix:${path}`, port: null, ...closing(server) };
}

function makeServer(door: Door, handlers: ListenerHandlers, { maxConnections }: ListenerLimits): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  server.maxConnections = maxConnections;
  server.on('request', (request, response) => handlers.onRequest(request, response, door));
  server.on('upgrade', (request, _socket, head) => {
    // The duplex of an upgrade is the connection's own socket.
    handlers.onUpgrade(request, request.socket, head, door);
  });
  return server;
}

function listening(
  server: Server,
  where: { host: string; port: number } | { path: string },
  shown: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(failed(shown, cause)));
    server.listen(where, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function failed(shown: string, cause: unknown): ProcflowError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why =
    code === 'EADDRINUSE'
      ? 'something else listens there; stop it, or choose another with api.port or api.socket'
      : code === 'EACCES'
        ? 'it is not allowed'
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new ProcflowError('LISTEN_FAILED', `${shown} cannot be listened on: ${why}`, { cause });
}

function closing(server: Server): Pick<Listener, 'close' | 'closeIdle' | 'cut'> {
  return {
    close: () => {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
    closeIdle: () => server.closeIdleConnections(),
    cut: () => server.closeAllConnections(),
  };
}

/** @throws ProcflowError LISTEN_FAILED when somebody listens, or when the file is no socket */
async function removeStale(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket())
    throw new ProcflowError('LISTEN_FAILED', `${path} cannot be listened on: a file that is no socket is there`);
  if (await isAnswered(path)) {
    throw new ProcflowError(
      'LISTEN_FAILED',
      `${path} cannot be listened on: another agent listens there; choose another with api.socket`,
    );
  }
  unlinkSync(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
