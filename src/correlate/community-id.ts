/** Community ID version 1 (github.com/corelight/community-id-spec): the same text for a flow in every tool. */
import { createHash } from 'node:crypto';
import { addressBytes } from '../capture/address.js';

const ICMP = 1;
const ICMPV6 = 58;
/** TCP, UDP, SCTP: the specification puts ports into the hash for these. */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 132]);

/** ICMP types that have an answer, and its type: they stand for ports. */
const ICMP_ANSWERS: ReadonlyMap<number, number> = new Map([
  [8, 0],
  [0, 8],
  [13, 14],
  [14, 13],
  [15, 16],
  [16, 15],
  [10, 9],
  [9, 10],
  [17, 18],
  [18, 17],
]);
const ICMPV6_ANSWERS: ReadonlyMap<number, number> = new Map([
  [128, 129],
  [129, 128],
  [133, 134],
  [134, 133],
  [135, 136],
  [136, 135],
  [130, 131],
  [131, 130],
  [144, 145],
  [145, 144],
  [139, 140],
  [140, 139],
]);

/** One side; for ICMP the port of the source is the type and the port of the destination the code. */
export interface TupleEnd {
  readonly address: string;
  readonly port: number | null;
}

/** The id of a flow, either way round. Null when the addresses are no IP addresses. */
export function communityId(protocolNumber: number, source: TupleEnd, destination: TupleEnd, seed = 0): string | null {
  let from: Uint8Array;
  let to: Uint8Array;
  try {
    from = packed(source.address);
    to = packed(destination.address);
  } catch {
    return null;
  }
  const ports = portsOf(protocolNumber, source.port, destination.port);
  const order = Buffer.compare(from, to) || (ports === null ? 0 : ports.from - ports.to);
  const swap = order > 0 && ports?.oneWay !== true;
  const head = Buffer.alloc(2);
  head.writeUInt16BE(seed);
  const hash = createHash('sha1').update(head);
  hash.update(swap ? to : from).update(swap ? from : to);
  hash.update(Uint8Array.of(protocolNumber, 0));
  if (ports !== null) {
    const tail = Buffer.alloc(4);
    tail.writeUInt16BE(swap ? ports.to : ports.from, 0);
    tail.writeUInt16BE(swap ? ports.from : ports.to, 2);
    hash.update(tail);
  }
  return `1:${hash.digest('base64')}`;
}

/** 4 or 16 bytes. */
function packed(address: string): Uint8Array {
  const bytes = addressBytes(address);
  return address.includes(':') ? bytes : bytes.subarray(12);
}

/** What stands in the place of ports; null for protocols that have none. */
function portsOf(
  protocolNumber: number,
  source: number | null,
  destination: number | null,
): { from: number; to: number; oneWay: boolean } | null {
  if (source === null || destination === null) return null;
  if (protocolNumber === ICMP || protocolNumber === ICMPV6) {
    const answer = (protocolNumber === ICMP ? ICMP_ANSWERS : ICMPV6_ANSWERS).get(source);
    return { from: source, to: answer ?? destination, oneWay: answer === undefined };
  }
  return WITH_PORTS.has(protocolNumber) ? { from: source, to: destination, oneWay: false } : null;
}

/**
 * The ports to use for a flow: ICMP flows of sockets are taken for what nearly all of them are, echo requests of the
 * client, since the messages' types are not captured.
 */
export function flowCommunityId(protocolNumber: number, client: TupleEnd, server: TupleEnd): string | null {
  if (protocolNumber === ICMP || protocolNumber === ICMPV6) {
    const echo = protocolNumber === ICMP ? 8 : 128;
    return communityId(protocolNumber, { address: client.address, port: echo }, { address: server.address, port: 0 });
  }
  return communityId(protocolNumber, client, server);
}
