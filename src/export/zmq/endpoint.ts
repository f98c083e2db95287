/** Endpoints: `zmq://*:5556` binds, `zmq://ntopng.example:5556c` connects, `zmq+ipc:///run/flows` is a local socket. */
import { ProcflowError } from '../../errors.js';
import { printable } from '../../text.js';

export interface ZmqDestination {
  /** As it was given. */
  readonly name: string;
  readonly transport: 'ZMQ';
  /** As libzmq has it. */
  readonly endpoint: string;
  /** Which end is to be there first: BIND waits for ntopng, CONNECT goes to it. */
  readonly mode: 'BIND' | 'CONNECT';
}

const SCHEME = /^zmq(?:\+(tcp|ipc))?:\/\//i;
const DEFAULT_PORT = 5556;

export function isZmq(text: string): boolean {
  return /^zmq(?:\+[a-z]+)?:/i.test(text);
}

/** @throws ProcflowError CONFIG_INVALID */
export function parseEndpoint(text: string): ZmqDestination {
  const scheme = SCHEME.exec(text);
  if (scheme === null) throw invalid(text);
  const place = text.slice(scheme[0].length);
  const endpoint = scheme[1]?.toLowerCase() === 'ipc' ? ipcEndpoint(place) : tcpEndpoint(place);
  if (endpoint === null) throw invalid(text);
  return { name: text, transport: 'ZMQ', ...endpoint };
}

type Endpoint = Pick<ZmqDestination, 'endpoint' | 'mode'>;

function tcpEndpoint(place: string): Endpoint | null {
  // ntopng has the same letter for its own end.
  const match = /^(\*|\[[0-9a-f:.%]+\]|[^:/?#@[\]\s]+)(?::(\d{1,5})(c)?)?\/?$/i.exec(place);
  const host = match?.[1];
  const port = Number(match?.[2] ?? DEFAULT_PORT);
  const mode = match?.[3] === undefined ? 'BIND' : 'CONNECT';
  if (host === undefined || port < 1 || port > 65_535 || (host === '*' && mode === 'CONNECT')) return null;
  return { endpoint: `tcp://${host}:${port}`, mode };
}

/** Longest path of a socket. */
const MOST_PATH = 107;

function ipcEndpoint(path: string): Endpoint | null {
  if (!path.startsWith('/') || path.includes('\0') || Buffer.byteLength(path) > MOST_PATH) return null;
  return { endpoint: `ipc://${path}`, mode: 'BIND' };
}

function invalid(text: string): ProcflowError {
  const message =
    `"${printable(text)}": expected zmq://*:5556 to wait for ntopng there, zmq://ntopng.example:5556c to connect to it, ` +
    'or zmq+ipc:///path';
  return new ProcflowError('CONFIG_INVALID', message);
}
