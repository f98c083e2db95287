/** Finds the half that mirrors another: the other end of a conversation within this host. */
import { isLoopbackText, isUnspecifiedText } from '../capture/address.js';
import { HashIndex, hashTuple, MANY, mixed } from './hash-index.js';
import { PeerHalf, StreamSocket, type Half } from './halves.js';
import type { Endpoint, Flow } from './model.js';
import type { NamespaceTable } from './namespaces.js';

const TCP = 6;
const ICMP = 1;
const ICMPV6 = 58;
/** A namespace may have thousands of addresses; so many are tried for a socket that is bound to none. */
const MAX_TRIED_ADDRESSES = 64;

/** The endpoint across from a half. */
export function otherEnd(flow: Flow, endpoint: Endpoint | null): Endpoint {
  return flow.client === endpoint ? flow.server : flow.client;
}

/** First halves of each place: others with the same hash hang behind them. */
class Places extends HashIndex<number, Half> {
  protected override keyOf(half: Half): number {
    return half.tupleHash;
  }
  protected override hashOf(key: number): number {
    return mixed(key);
  }
}

/**
 * Halves by protocol, both ports and the remote address. The local address is left out, since a socket bound to a
 * wildcard may not know it; it is compared when both do.
 */
export class TupleIndex {
  private readonly places = new Places(MANY);

  /** Enters a half that has a flow. Protocols without two sockets to a conversation are left out. */
  add(half: Half): void {
    if (half.flow === null || half.endpoint === null || !canHaveMate(half.protocolNumber)) return;
    const other = otherEnd(half.flow, half.endpoint);
    const hash = hashTuple(half.protocolNumber, half.endpoint.port, other.port, other.address);
    half.tupleHash = hash;
    half.nextInTuple = this.places.get(hash) ?? null;
    this.places.set(half);
  }

  remove(half: Half): void {
    const hash = half.tupleHash;
    if (hash < 0) return;
    const first = this.places.get(hash);
    if (first === half) {
      if (half.nextInTuple === null) this.places.delete(hash);
      else this.places.set(half.nextInTuple);
    } else {
      let before = first;
      while (before !== undefined && before.nextInTuple !== half) before = before.nextInTuple ?? undefined;
      if (before !== undefined) before.nextInTuple = half.nextInTuple;
    }
    half.tupleHash = -1;
    half.nextInTuple = null;
  }

  get size(): number {
    return this.places.size;
  }

  /**
   * The half without a mate that mirrors these ends: in the same namespace, or the only one in any other, unless the
   * conversation is over loopback, which no namespace shares.
   */
  findMate(half: Half, local: Tuple, remote: Tuple): Half | null {
    if (!canHaveMate(half.protocolNumber)) return null;
    if (!isUnspecifiedText(local.address)) return this.findAt(half, local.address, local, remote);
    // Over loopback both ends mostly have one address; else any of the namespace may be the one.
    const candidates = isLoopbackText(remote.address)
      ? [remote.address]
      : [...half.namespace.addresses.keys()].slice(0, MAX_TRIED_ADDRESSES);
    for (const address of candidates) {
      const found = this.findAt(half, address, local, remote);
      if (found !== null) return found;
    }
    return null;
  }

  private findAt(half: Half, localAddress: string, local: Tuple, remote: Tuple): Half | null {
    let elsewhere: Half | null = null;
    let ambiguous = false;
    const hash = hashTuple(half.protocolNumber, remote.port, local.port, localAddress);
    for (let other = this.places.get(hash) ?? null; other !== null; other = other.nextInTuple) {
      if (other === half || other.mate !== null || !mirrors(other, half.protocolNumber, localAddress, local, remote))
        continue;
      if (sameSocket(half, other)) continue;
      if (other.namespace === half.namespace) return other;
      if (elsewhere !== null) ambiguous = true;
      elsewhere = other;
    }
    return ambiguous || isLoopbackText(localAddress) || isLoopbackText(remote.address) ? null : elsewhere;
  }
}

/** Whether the other end of a half may be a socket of this host, in whatever namespace. */
export function mayHaveMate(namespaces: NamespaceTable, { flow, endpoint, protocolNumber }: Half): boolean {
  if (flow === null || !canHaveMate(protocolNumber)) return false;
  const across = otherEnd(flow, endpoint);
  return across.local || namespaces.having(across.address).size > 0;
}

/** A namespace is met with its first socket, which may be the receiver of what was told of before. */
const RECONSIDERED_NS = 2e9;

/**
 * Halves without a mate that send to an address of this host, in whatever namespace, by port: who may have sent what a
 * socket received without asking from whom. Protocols without ports are in one place.
 */
export class LocalTargets {
  private readonly byPort = new Map<number, Set<PeerHalf>>();
  /** Those of late that no namespace is known to have the address for, in two generations. */
  private recent: PeerHalf[] = [];
  private older: PeerHalf[] = [];
  private turnNs = 0;

  constructor(private readonly namespaces: NamespaceTable) {}

  /** Enters a half that has a flow now. */
  add(half: PeerHalf): void {
    if (!this.update(half) && canHaveMate(half.protocolNumber)) this.recent.push(half);
  }

  /** Enters a half whose receiver's address was not of this host before, if it is now. */
  update(half: PeerHalf): boolean {
    if (half.mate !== null || half.mateEndReason !== null || !mayHaveMate(this.namespaces, half)) return false;
    const others = this.byPort.get(half.peerPort);
    if (others === undefined) this.byPort.set(half.peerPort, new Set([half]));
    else others.add(half);
    return true;
  }

  /** A namespace has an address that was not known. */
  reconsider(): void {
    const halves = [...this.older, ...this.recent];
    this.older = [];
    this.recent = [];
    for (const half of halves) if (half.tupleHash >= 0) this.add(half);
  }

  /** Forgets who was met too long ago to be reconsidered. */
  retain(nowNs: number): void {
    if (nowNs < this.turnNs) return;
    this.turnNs = nowNs + RECONSIDERED_NS / 2;
    this.older = this.recent;
    this.recent = [];
  }

  remove(half: PeerHalf): void {
    const others = this.byPort.get(half.peerPort);
    others?.delete(half);
    if (others?.size === 0) this.byPort.delete(half.peerPort);
  }

  to(port: number): Iterable<PeerHalf> {
    return this.byPort.get(port) ?? [];
  }

  get size(): number {
    return this.byPort.size + this.recent.length + this.older.length;
  }
}

export interface Tuple {
  readonly address: string;
  readonly port: number | null;
}

/** The kernel itself answers echo requests, and packet sockets only listen to others. */
function canHaveMate(protocolNumber: number): boolean {
  return protocolNumber !== 0 && protocolNumber !== ICMP && protocolNumber !== ICMPV6;
}

function sameSocket(a: Half, b: Half): boolean {
  return a.cookie === b.cookie;
}

function mirrors(other: Half, protocolNumber: number, localAddress: string, local: Tuple, remote: Tuple): boolean {
  const { flow, endpoint } = other;
  if (flow === null || endpoint === null || other.protocolNumber !== protocolNumber) return false;
  if (protocolNumber === TCP ? !(other instanceof StreamSocket) : !(other instanceof PeerHalf)) return false;
  const across = otherEnd(flow, endpoint);
  return (
    endpoint.port === remote.port &&
    across.port === local.port &&
    across.address === localAddress &&
    (endpoint.address === remote.address || isUnspecifiedText(endpoint.address) || isUnspecifiedText(remote.address))
  );
}
