/** Sockets that own a port: who serves, and who may own what they accept. */
import type { BoundSocket } from './halves.js';
import type { Process } from './model.js';
import type { Namespace } from './namespaces.js';

const TCP = 6;
const UDP = 17;

export class Listeners {
  private readonly byPort = new Map<number, Set<BoundSocket>>();

  add(socket: BoundSocket): void {
    if (socket.localPort === 0 || socket.listenerKey >= 0) return;
    socket.listenerKey = keyOf(socket.namespace, socket.protocolNumber, socket.localPort);
    const others = this.byPort.get(socket.listenerKey);
    if (others === undefined) this.byPort.set(socket.listenerKey, new Set([socket]));
    else others.add(socket);
  }

  remove(socket: BoundSocket): void {
    const others = this.byPort.get(socket.listenerKey);
    others?.delete(socket);
    if (others?.size === 0) this.byPort.delete(socket.listenerKey);
    socket.listenerKey = -1;
  }

  has(namespace: Namespace, protocolNumber: number, port: number): boolean {
    return this.byPort.has(keyOf(namespace, protocolNumber, port));
  }

  /** Who owns all listeners of a port; null when nobody is known, or they have several owners. */
  soleOwner(namespace: Namespace, protocolNumber: number, port: number): Process | null {
    let owner: Process | null = null;
    for (const socket of this.byPort.get(keyOf(namespace, protocolNumber, port)) ?? []) {
      if (socket.owner === null || (owner !== null && owner !== socket.owner)) return null;
      owner = socket.owner;
    }
    return owner;
  }

  *all(): Generator<BoundSocket> {
    for (const sockets of this.byPort.values()) yield* sockets;
  }

  get size(): number {
    return this.byPort.size;
  }
}

/** Inodes have 32 bits: with port and protocol it fits into the 53 bits of a number. */
function keyOf(namespace: Namespace, protocolNumber: number, port: number): number {
  const protocol = protocolNumber === TCP ? 0 : protocolNumber === UDP ? 1 : 2;
  return (namespace.inode * 65_536 + port) * 4 + protocol;
}
