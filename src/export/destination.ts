/** Where to export to: `ipfix://host:port`, `netflow9://host`, `ipfix+file:/path`, `zmq://*:5556`. */
import { ProcflowError } from '../errors.js';
import { didYouMean, printable } from '../text.js';
import { isZmq, parseEndpoint, type ZmqDestination } from './zmq/endpoint.js';

export type Destination = ClassicDestination | ZmqDestination;
/** IPFIX or NetFlow v9. */
export type ClassicDestination = NetworkDestination | FileDestination;

export interface NetworkDestination {
  /** As it was given, without what is secret: it has nothing secret. */
  readonly name: string;
  readonly format: 'IPFIX' | 'NETFLOW_V9';
  readonly transport: 'UDP' | 'TCP' | 'TLS';
  readonly host: string;
  readonly port: number;
}

export interface FileDestination {
  readonly name: string;
  readonly format: 'IPFIX';
  readonly transport: 'FILE';
  readonly path: string;
}

interface Scheme {
  readonly format: 'IPFIX' | 'NETFLOW_V9';
  readonly transport: 'UDP' | 'TCP' | 'TLS';
  readonly port: number;
}

const IPFIX_PORT = 4739;
const IPFIX_TLS_PORT = 4740;
const NETFLOW_PORT = 2055;
const FILE_SCHEME = 'ipfix+file:';

const SCHEMES: Readonly<Record<string, Scheme>> = {
  ipfix: { format: 'IPFIX', transport: 'UDP', port: IPFIX_PORT },
  'ipfix+udp': { format: 'IPFIX', transport: 'UDP', port: IPFIX_PORT },
  'ipfix+tcp': { format: 'IPFIX', transport: 'TCP', port: IPFIX_PORT },
  'ipfix+tls': { format: 'IPFIX', transport: 'TLS', port: IPFIX_TLS_PORT },
  netflow9: { format: 'NETFLOW_V9', transport: 'UDP', port: NETFLOW_PORT },
};

/**
 * Reads a destination. Without a scheme it is UDP, in the format of `version`.
 * @throws ProcflowError CONFIG_INVALID
 */
export function parseDestination(text: string, version: 9 | 10): Destination {
  if (text.startsWith(FILE_SCHEME)) return fileDestination(text);
  if (isZmq(text)) return parseEndpoint(text);
  const [, name = version === 9 ? 'netflow9' : 'ipfix', place = ''] = /^(?:([a-z0-9+]+):\/\/)?(.*)$/i.exec(text) ?? [];
  const scheme = Object.hasOwn(SCHEMES, name.toLowerCase()) ? SCHEMES[name.toLowerCase()] : undefined;
  if (scheme === undefined) {
    const known = [...Object.keys(SCHEMES), 'ipfix+file', 'zmq', 'zmq+ipc'];
    throw invalid(`"${printable(text)}": there is no scheme "${name}"${didYouMean(name, known)}`);
  }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/?#@[\]]+))(?::(\d{1,5}))?\/?$/i.exec(place);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? scheme.port);
  if (host === undefined || port < 1 || port > 65_535) {
    throw invalid(`"${printable(text)}": expected a host and port, such as ipfix://collector.example:4739`);
  }
  return { name: text, format: scheme.format, transport: scheme.transport, host, port };
}

function fileDestination(text: string): FileDestination {
  const path = text.slice(FILE_SCHEME.length).replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.includes('\0'))
    throw invalid(`"${printable(text)}": expected a path, as in ipfix+file:/var/lib/flows.ipfix`);
  return { name: text, format: 'IPFIX', transport: 'FILE', path };
}

function invalid(message: string): ProcflowError {
  return new ProcflowError('CONFIG_INVALID', message);
}
