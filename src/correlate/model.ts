/**
 * The words of procflow as data: processes, endpoints, flows, users.
 *
 * These are the live objects that the correlator writes and everybody else reads. They are classes with plain numeric
 * fields, made once per flow or process and updated in place, because a million of them must fit into memory.
 * Readers must not change them, and must not keep one longer than a request unless they can live with its updates.
 *
 * Times are Unix time in microseconds (a double holds them exactly until the year 2255). `null` is unknown.
 */
import type { Application } from './application.js';
import { flowCommunityId } from './community-id.js';
import type { FlowExchanges } from './exchange-table.js';
import { FlowSet } from './flow-set.js';
import type { Meter } from './meter.js';
import { tcpFlagsOf, type TcpFlag } from './tcp-flags.js';
import { NO_WINDOW } from './windows.js';

export type { Application, ApplicationConfidence } from './application.js';
export type { TcpFlag } from './tcp-flags.js';

export type Protocol = 'TCP' | 'UDP' | 'ICMP' | 'ICMPV6' | 'SCTP' | 'RAW' | 'PACKET' | 'OTHER';
/** Seen from this host: who opened the flow, and whether an end of it is elsewhere. */
export type Direction = 'INBOUND' | 'OUTBOUND' | 'LOCAL' | 'FORWARDED';
export type FlowState = 'OPENING' | 'OPEN' | 'CLOSING' | 'ENDED';
/** Why a flow ended: RFC 5102 flowEndReason where it has a word, and what became of a connection otherwise. */
export type FlowEndReason =
  'IDLE' | 'ACTIVE' | 'END_OF_FLOW' | 'FORCED' | 'REFUSED' | 'RESET' | 'UNREACHABLE' | 'TIMED_OUT' | 'ABORTED';
/** Why something about a flow is unknown or not exact; a closed list, described in the GraphQL schema. */
export type FlowNoteCode =
  | 'COUNTERS_SINCE_AGENT_START'
  | 'START_TIME_UNKNOWN'
  | 'PEER_UNKNOWN'
  | 'LOCAL_ADDRESS_UNKNOWN'
  | 'OWNER_UNKNOWN'
  | 'OWNER_FROM_LISTENER'
  | 'MESSAGES_TIER_OFF'
  | 'TCP_FLAGS_TIER_OFF'
  | 'OCTETS_UNKNOWN'
  | 'EVENTS_LOST'
  | 'PROCESS_NOT_VISIBLE'
  | 'TCP_FLAGS_PARTIAL'
  | 'APPLICATION_TIER_OFF'
  | 'APPLICATION_TIER_SHED'
  | 'APPLICATION_UNDETECTED'
  | 'MESSAGES_TIER_SHED'
  | 'RESOURCES_TIER_OFF'
  | 'USAGE_START_UNKNOWN'
  | 'USAGE_END_UNKNOWN'
  | 'IO_WAIT_NOT_ACCOUNTED'
  | 'PEAK_MEMORY_UNKNOWN';

/** What one endpoint sent to the other. */
export class Traffic {
  /** Octets at the IP layer, IP headers included (IPFIX octetDeltaCount); null when unknown. */
  octets: number | null = null;
  /** IP packets; null when unknown. */
  packets: number | null = null;
  /** What the sending process handed to its socket (or what arrived from a remote sender), in bytes. */
  payloadBytes: number | null = null;
  /** Send calls (local sender) or datagrams (remote sender); null when unknown. */
  messages: number | null = null;
  retransmittedPackets: number | null = null;
  /** True when octets were computed from segments and header sizes and not counted packet by packet. */
  octetsDerived = false;
  /**
   * All TCP flags that this endpoint set, as in byte 13 of the header, and ALL_TCP_FLAGS when all of its packets were
   * seen; -1 when none was.
   */
  tcpFlagBits = -1;

  /** All TCP flags that this endpoint set; null when no tier saw its packets. */
  get tcpFlags(): readonly TcpFlag[] | null {
    return tcpFlagsOf(this.tcpFlagBits);
  }
}

/** A program image that a process ran: one per exec. */
export interface Image {
  readonly name: string;
  readonly executable: string | null;
  readonly arguments: readonly string[] | null;
  readonly argumentsTruncated: boolean;
  /** When it was exec'ed; for the first image of a process seen at the start of the agent, its start. */
  readonly startMicros: number;
}

/** A container, as far as the cgroup path of a process tells. */
export interface Container {
  /** Full id as in the cgroup path (64 hex digits for most runtimes). */
  readonly id: string;
  /** docker, containerd, cri-o, podman, lxc, systemd-nspawn or null. */
  readonly runtime: string | null;
  /** Kubernetes pod UID or null. */
  readonly podUid: string | null;
}

/** A thread group from fork to exit. Identity: host, boot, pid and start time. */
export class Process {
  constructor(
    /** Opaque global id. */
    readonly id: string,
    readonly pid: number,
    /** Start in ns since boot: with the pid the identity on this boot. */
    readonly startNs: number,
    readonly startMicros: number,
  ) {}
  /** comm: printable, at most 15 bytes in the kernel. */
  name = '';
  executable: string | null = null;
  arguments: readonly string[] | null = null;
  argumentsTruncated = false;
  uid = 0;
  gid: number | null = null;
  parent: Process | null = null;
  readonly children = new Set<Process>();
  cgroup: string | null = null;
  container: Container | null = null;
  unit: string | null = null;
  endMicros: number | null = null;
  exitCode: number | null = null;
  /** SIGKILL, SIGSEGV …; null when it was not killed. */
  exitSignal: string | null = null;
  startedBefore = false;
  images: readonly Image[] = [];
  /** Flows it moved bytes on, made or holds, live and recently ended. */
  readonly flows = new FlowSet();
  /** Ends of live flows that are its own. */
  connections = 0;
  /** Its usage; null before anything was read of it. `LiveState` tells what it says. */
  meter: Meter | null = null;
  /** Grows with each event of its life; 0 before it was announced. */
  revision = 0;
}

/** What one process moved on one endpoint. */
export class ProcessShare {
  constructor(readonly process: Process) {}
  sentPayloadBytes = 0;
  receivedPayloadBytes = 0;
  sentMessages = 0;
  receivedMessages = 0;
  /** Its usage while it used the socket: see `Windows`, and `LiveState.usageOf`. */
  window = NO_WINDOW;

  /** Whether it has moved anything. A process that only opened the socket has a share for the sake of its usage. */
  get hasMoved(): boolean {
    return this.sentMessages + this.receivedMessages + this.sentPayloadBytes + this.receivedPayloadBytes > 0;
  }
}

const NO_SHARES: readonly ProcessShare[] = [];

/**
 * One side of a flow. What it has sent is kept in the endpoint itself, since an object of its own would cost a million flows
 * 64 bytes each: read it as `sent`.
 */
export class Endpoint extends Traffic {
  /** Canonical text (RFC 5952); v4-mapped addresses as IPv4. For PACKET sockets the interface's name or "any". */
  address = '';
  port: number | null = null;
  /** On this host (a socket of this host, or an address of it). */
  local = false;
  /** Moved the bytes last, or owns the socket by the best evidence there is. */
  process: Process | null = null;
  /** One share is kept without a list around it: that is what nearly every local endpoint has. */
  private moved: ProcessShare | readonly ProcessShare[] = NO_SHARES;
  creator: Process | null = null;
  /** Network namespace; null when remote or unknown. */
  namespace: { readonly inode: number } | null = null;

  get sent(): Traffic {
    return this;
  }

  /** Name that the host itself used for the address; null, since nothing that capture reads tells it. */
  get hostname(): string | null {
    return null;
  }

  /** Everyone that moved bytes here, and who opened the socket; order by bytes is the reader's. */
  get shares(): readonly ProcessShare[] {
    return this.moved instanceof ProcessShare ? [this.moved] : this.moved;
  }

  set shares(shares: readonly ProcessShare[]) {
    const [only] = shares;
    this.moved = shares.length === 1 && only !== undefined ? only : shares;
  }

  addShare(share: ProcessShare): void {
    this.moved = this.moved === NO_SHARES ? share : [...this.shares, share];
  }

  /** The only share there is, without making a list; null when there are none or several. */
  get onlyShare(): ProcessShare | null {
    return this.moved instanceof ProcessShare ? this.moved : null;
  }

  /** Whether a process moved bytes here, made or holds the socket. */
  involves(process: Process): boolean {
    return this.process === process || this.creator === process || this.shareOf(process) !== undefined;
  }

  /** The share of a process, without making a list. */
  shareOf(process: Process): ProcessShare | undefined {
    if (this.moved instanceof ProcessShare) return this.moved.process === process ? this.moved : undefined;
    return this.moved.find((share) => share.process === process);
  }

  /** Inode number of the network namespace; null when remote or unknown. */
  get netns(): number | null {
    return this.namespace?.inode ?? null;
  }
}

/** What identifies a flow. Its text is made when it is read: most flows are never asked. */
export interface FlowName {
  /** Opaque global id, stable over a restart of the agent. */
  readonly id: string;
  /** The socket that opened the flow. */
  readonly cookie: number;
  /** With whom, on a socket that is not connected to one peer; null when the socket says it all. */
  readonly peer: { readonly address: string; readonly port: number } | null;
  /** Tells a later flow of the same socket and peer from the first, whose salt is 0. */
  readonly salt: number;
}

/** A conversation of two endpoints, from the first to the last packet. */
export class Flow {
  constructor(
    /** Never changes once the flow was published. */
    public name: FlowName,
    /** Order of first appearance in this agent, from 0; only for internal ordering. */
    readonly sequence: number,
    readonly protocol: Protocol,
    /** IANA protocol number; 0 for PACKET. */
    readonly protocolNumber: number,
    readonly ipVersion: 4 | 6 | null,
  ) {}
  direction: Direction = 'OUTBOUND';
  state: FlowState = 'OPENING';
  client = new Endpoint();
  server = new Endpoint();
  startMicros = 0;
  lastMicros = 0;
  endMicros: number | null = null;
  endReason: FlowEndReason | null = null;
  startedBefore = false;
  rttMicros: number | null = null;
  minRttMicros: number | null = null;
  /** What the first packets tell of the application; null when they do not, or nobody looked. */
  application: Application | null = null;
  /** Requests and responses within it; null when none were seen. */
  exchanges: FlowExchanges | null = null;
  /**
   * Bit set over FLOW_NOTE_CODES, so that a flow without notes costs nothing. Notes about usage are not among them:
   * `LiveState.notesOf` has all.
   */
  noteBits = 0;
  /** Grows whenever the flow is published with changes; 0 before the first time. */
  revision = 0;

  /** Whether a process has a part in the flow: then the flow is in its `flows`. */
  involves(process: Process): boolean {
    return this.client.involves(process) || this.server.involves(process);
  }

  /** See {@link FlowName.id}. */
  get id(): string {
    return this.name.id;
  }

  /** Community ID v1; null without IP addresses. Computed when it is read: most flows are never asked. */
  get communityId(): string | null {
    return flowCommunityId(this.protocolNumber, this.client, this.server);
  }
}

export const FLOW_NOTE_CODES: readonly FlowNoteCode[] = [
  'COUNTERS_SINCE_AGENT_START',
  'START_TIME_UNKNOWN',
  'PEER_UNKNOWN',
  'LOCAL_ADDRESS_UNKNOWN',
  'OWNER_UNKNOWN',
  'OWNER_FROM_LISTENER',
  'MESSAGES_TIER_OFF',
  'TCP_FLAGS_TIER_OFF',
  'OCTETS_UNKNOWN',
  'EVENTS_LOST',
  'PROCESS_NOT_VISIBLE',
  'TCP_FLAGS_PARTIAL',
  'APPLICATION_TIER_OFF',
  'APPLICATION_TIER_SHED',
  'APPLICATION_UNDETECTED',
  'MESSAGES_TIER_SHED',
  'RESOURCES_TIER_OFF',
  'USAGE_START_UNKNOWN',
  'USAGE_END_UNKNOWN',
  'IO_WAIT_NOT_ACCOUNTED',
  'PEAK_MEMORY_UNKNOWN',
];

/** The bit of a code in a bit set. */
export function noteBit(code: FlowNoteCode): number {
  return 1 << FLOW_NOTE_CODES.indexOf(code);
}

/** The codes of a bit set. */
export function noteCodes(bits: number): FlowNoteCode[] {
  return FLOW_NOTE_CODES.filter((_, bit) => (bits & (1 << bit)) !== 0);
}

/** An owner of processes, as the host's name service knows it. */
export interface User {
  readonly uid: number;
  /** Account name; the number as text when the uid has no account. */
  readonly name: string;
}
