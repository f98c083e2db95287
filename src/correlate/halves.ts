/**
 * Sockets, and halves of flows: a half is what one socket of this host has of one flow. A connected TCP socket is the one
 * half it has; any other socket has a half for each of its peers. Two halves that mirror each other are mates and share
 * one flow.
 */
import { Process, ProcessShare, type Endpoint, type Flow, type FlowEndReason, type FlowName } from './model.js';
import { Namespace } from './namespaces.js';
import type { WirePeer } from './wire-peers.js';
import { NO_WINDOW } from './windows.js';

/** How far the owner of a half is to be trusted, worst first. */
export const OWNER_RANK = { none: 0, listener: 1, creator: 2, holder: 3, opener: 4, closer: 5, mover: 6 } as const;

/** Why a half is taken for the client's or the server's, worst first. */
export const ROLE_EVIDENCE = { ports: 1, listener: 2, seen: 3 } as const;

export abstract class Half {
  /** Null when it has no flow now: idle, ended, or the flow table was full. */
  flow: Flow | null = null;
  /** Its side of the flow. */
  endpoint: Endpoint | null = null;
  /** The other half, when the other end is local, too, and its socket lives. */
  mate: Half | null = null;
  /** Place in the tuple index, and the next half in the same place. */
  tupleHash = -1;
  nextInTuple: Half | null = null;
  /** {@link HALF_FLAG} bits, and small numbers above them: a million halves have them in one place. */
  flags = 0;
  /** Why the mate has ended, when it has: the flow ends with the worse reason of both. */
  mateEndReason: FlowEndReason | null = null;

  abstract readonly cookie: number;
  abstract readonly protocolNumber: number;
  abstract readonly namespace: Namespace;

  get roleEvidence(): number {
    return (this.flags >> EVIDENCE_SHIFT) & 3;
  }

  set roleEvidence(evidence: number) {
    this.flags = (this.flags & ~(3 << EVIDENCE_SHIFT)) | (evidence << EVIDENCE_SHIFT);
  }

  /** {@link OWNER_RANK} of `endpoint.process`. */
  get ownerRank(): number {
    return (this.flags >> RANK_SHIFT) & 7;
  }

  set ownerRank(rank: number) {
    this.flags = (this.flags & ~(7 << RANK_SHIFT)) | (rank << RANK_SHIFT);
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
}

const EVIDENCE_SHIFT = 8;
const RANK_SHIFT = 10;
const STATE_SHIFT = 13;

export const HALF_FLAG = {
  /** Waits to be published. */
  dirty: 1,
  /** Its end was read in this batch, and is carried out after the traffic. */
  ending: 2,
  ended: 4,
  /** The flow table was full when it came, and that was counted. */
  refused: 8,
  /** The socket's own rows tell who moved bytes last. */
  moverKnown: 16,
  /** The messages tier counts all of it. */
  counted: 32,
  /** TCP got to ESTABLISHED. */
  established: 64,
  /** Bytes were moved by nobody that has a name. */
  anonymous: 128,
} as const;

export class StreamSocket extends Half {
  /** Payload the application took by the kernel's count; what the messages tier did not see of it was spliced. */
  takenBytes = 0;
  /** Whoever takes what was not seen. */
  receiver: Process | null = null;
  spliced: { readonly share: ProcessShare; readonly bytes: number } | null = null;

  constructor(
    readonly cookie: number,
    readonly namespace: Namespace,
  ) {
    super();
  }

  get protocolNumber(): number {
    return 6;
  }

  get tcpState(): number {
    return this.flags >> STATE_SHIFT;
  }

  set tcpState(state: number) {
    this.flags = (this.flags & ((1 << STATE_SHIFT) - 1)) | (state << STATE_SHIFT);
  }
}

/** A listener, and any socket that is not TCP. */
export class BoundSocket {
  /** {@link SOCKET_FLAG} bits of the last row. */
  flags = 0;
  family = 0;
  /** 1 stream, 2 datagram, 3 raw. */
  type = 0;
  localAddress = '';
  localPort = 0;
  interfaceIndex = 0;
  /** Of a connected one. */
  remoteAddress: string | null = null;
  remotePort = 0;
  owner: Process | null = null;
  ownerRank = 0;
  creator: Process | null = null;
  peers: Map<number, PeerHalf> | null = null;
  unknown: UnknownPeers | null = null;
  /** Since when each process uses it: open windows of usage. */
  windows: Map<Process, number> | null = null;
  /** A half of it was forgotten: the next one to the same peer is not the first. */
  forgotHalves = false;
  /** Place among the listeners; -1 when it owns no port. */
  listenerKey = -1;
  /** A flow was made of its rows alone, since nothing counts its messages. */
  shown = false;

  constructor(
    readonly cookie: number,
    readonly protocolNumber: number,
    readonly namespace: Namespace,
  ) {}
}

export type Socket = StreamSocket | BoundSocket;

/** The protocol number of packet sockets, which have no IP. */
export const PACKET = 0;

/** A socket and one of its peers. */
export class PeerHalf extends Half {
  /** Another peer with the same hash. */
  nextPeer: PeerHalf | null = null;
  /** What each process moved, in this flow; the same objects as the endpoint shows. */
  shares: DatagramShare[] = [];
  firstNs = Infinity;
  /** When the last mover moved. */
  moverNs = 0;
  /** It had a flow before. */
  resumes = false;
  derived = false;
  /** What the packets tier counts with the peer; null when it does not. */
  wire: WirePeer | null = null;
  /** Second in which it may have become idle; -1 when nobody waits for that. */
  idleSecond = -1;

  constructor(
    readonly socket: BoundSocket,
    readonly peerAddress: string,
    readonly peerPort: number,
  ) {
    super();
  }

  get cookie(): number {
    return this.socket.cookie;
  }
  /** The peer, as flows are named after it. */
  get peer(): FlowName['peer'] {
    return { address: this.protocolNumber === PACKET ? '::' : this.peerAddress, port: this.peerPort };
  }
  get protocolNumber(): number {
    return this.socket.protocolNumber;
  }
  get namespace(): Namespace {
    return this.socket.namespace;
  }
}

/** The counters of a traffic row. */
export class Counters {
  sentBytes = 0;
  sentMessages = 0;
  sentOctets = 0;
  sentPackets = 0;
  receivedBytes = 0;
  receivedMessages = 0;
  receivedOctets = 0;
  receivedPackets = 0;
}

/**
 * A share that follows the kernel's absolute counters: share = base + counter. The base is what was counted before the
 * kernel began at zero again, or minus what belongs to an earlier flow.
 */
export class CountedShare extends ProcessShare {
  base: Counters | null = null;
  /** The kernel's counters have ended: should there be others, they begin at zero. */
  ended = false;

  /** The counters begin at zero again: what the share has is its base from now on. */
  rebase(): Counters {
    const base = new Counters();
    base.sentBytes = this.sentPayloadBytes;
    base.sentMessages = this.sentMessages;
    base.receivedBytes = this.receivedPayloadBytes;
    base.receivedMessages = this.receivedMessages;
    this.base = base;
    this.ended = false;
    return base;
  }
}

/** With the IP layer, which TCP sockets count by themselves. */
export class DatagramShare extends CountedShare {
  sentOctets = 0;
  sentPackets = 0;
  receivedOctets = 0;
  receivedPackets = 0;
  /** The window of usage as it would be if its flow had ended with the last message. */
  soFar = NO_WINDOW;

  override rebase(): Counters {
    const base = super.rebase();
    base.sentOctets = this.sentOctets;
    base.sentPackets = this.sentPackets;
    base.receivedOctets = this.receivedOctets;
    base.receivedPackets = this.receivedPackets;
    return base;
  }
}

/**
 * A field that only ever held numbers becomes a double of its own on V8's heap with the first that is no small integer,
 * 16 bytes for each object from then on. One that has held something else keeps small integers in place.
 */
function keepIntegersInPlace<T extends object>(sample: T, fields: readonly (keyof T)[]): void {
  for (const field of fields) sample[field] = undefined as T[typeof field];
}

const SHARE_COUNTERS = ['sentPayloadBytes', 'receivedPayloadBytes', 'sentMessages', 'receivedMessages'] as const;
const NOBODY = new Process('', 0, 0, 0);
keepIntegersInPlace(new CountedShare(NOBODY), SHARE_COUNTERS);
keepIntegersInPlace(new DatagramShare(NOBODY), [
  ...SHARE_COUNTERS,
  'sentOctets',
  'sentPackets',
  'receivedOctets',
  'receivedPackets',
]);
keepIntegersInPlace(new StreamSocket(0, new Namespace(0)), ['takenBytes', 'cookie']);

/** A number as the engine keeps it in place, if it is a small integer: what comes out of a column of doubles is not. */
export function small(value: number): number {
  const integer = value | 0;
  return integer === value ? integer : value;
}

/** What was received by calls that did not ask for the sender, until it is known whose it was. */
export class UnknownPeers {
  /** Per process: all of it, and how much of it has been given to flows. */
  readonly received = new Map<
    Process | null,
    { readonly total: Counters; readonly base: Counters; readonly given: Counters }
  >();
  /** When the oldest part that waits came. */
  sinceNs = 0;
  firstNs = Infinity;
  lastNs = 0;
  half: PeerHalf | null = null;
}
