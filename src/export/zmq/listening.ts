/** Which ports of this host somebody listens on, as others can reach them. */
import { readFileSync, readlinkSync } from 'node:fs';
import { isLoopbackText } from '../../capture/address.js';
import type { ListeningSocket } from '../../correlate/index.js';
import type { ListeningPort } from './documents.js';

const TCP = 6;
const UDP = 17;
/** More would not fit into a message that every ntopng reads; nobody listens on so many. */
const MOST_PORTS = 256;

/** Ports that the kernel gives to sockets that did not ask for one: a UDP socket on such a port is a client's. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Without those of containers and of loopback, which nobody reaches at the host's addresses.
 * @param namespaceInode of the network namespace that the ports are to be of
 */
export function listeningPorts(
  sockets: Iterable<ListeningSocket>,
  namespaceInode: number,
  ephemeral: PortRange,
): ListeningPort[] {
  const ports = new Map<string, ListeningPort>();
  for (const socket of sockets) {
    const { protocolNumber, ipVersion, port, process } = socket;
    if (socket.namespaceInode !== namespaceInode || isLoopbackText(socket.address)) continue;
    if (protocolNumber !== TCP && !isUdpService(socket, ephemeral)) continue;
    const protocol = protocolNumber === TCP ? 'tcp' : 'udp';
    const key = `${protocol}${ipVersion} ${port}`;
    const known = ports.get(key);
    if (known !== undefined && known.process !== null) continue;
    if (known === undefined && ports.size >= MOST_PORTS) break;
    const name = process === null || process.name === '' ? null : process.name;
    ports.set(key, { protocol, ipVersion, port, process: process?.executable ?? name });
  }
  return [...ports.values()].sort((a, b) => a.port - b.port);
}

function isUdpService({ protocolNumber, port, remoteAddress }: ListeningSocket, { first, last }: PortRange): boolean {
  return protocolNumber === UDP && remoteAddress === null && (port < first || port > last);
}

/** Inode of this process's network namespace; 0, which none has, when the kernel does not tell. */
export function ownNamespace(): number {
  try {
    return Number(/\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/net'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The kernel's own default when it cannot be read. */
export function ephemeralPorts(): PortRange {
  try {
    const [first = 32_768, last = 60_999] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    return { first, last };
  } catch {
    return { first: 32_768, last: 60_999 };
  }
}
