// Made by scripts/codegen.mjs from schema/*.graphql; do not edit.
import type { TimeArgument } from '../query/index.js';
import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { Flow as LiveFlow, Endpoint as LiveEndpoint, Traffic as LiveTraffic, Application as LiveApplication, Process as LiveProcess, ProcessShare as LiveProcessShare, Image as LiveImage, Container as LiveContainer, User as LiveUser, FlowNoteCode as LiveFlowNoteCode } from '../../correlate/model.js';
import type { Exchange as LiveExchange, Thread as LiveThread, ExchangeNoteCode as LiveExchangeNoteCode } from '../../correlate/exchange.js';
import type { Usage as LiveUsage } from '../../correlate/usage.js';
import type { TimeWindowView, HostView, ContainerPage, SampleList, FlowPage, ProcessPage, ExchangePage, UserPage, AnyPage, EventList, FlowEventView, ProcessEventView, ExchangeEventView, RequestContext } from './mapped.js';
import type { ProcessUsage as LiveProcessUsage, HostTier, Governor as LiveGovernor, ProgramCost as LiveProgramCost, ShedSpan as LiveShedSpan } from '../../correlate/live-state.js';
import type { ExporterStatus } from '../../export/index.js';
import type { FlowTotal as FlowTotalRow, NetworkUsage as NetworkUsageView, SeriesRow, SeriesList as SeriesListView, TimeSeries as TimeSeriesView } from '../query/index.js';
import type { SeriesValues as LiveSeriesValues } from '../../correlate/series/values.js';
import type { Sample as LiveSample } from '../stream/index.js';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Omit<T, K extends keyof T> = Pick<T, Exclude<keyof T, K>>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /**
   * A point in time. Given out as RFC 3339 in UTC with microseconds, for instance `2026-11-23T08:43:09.064028Z`.
   * As an argument also Unix seconds (`1795423389.064`), and a time before now: `-15m`, `-1h30m`, `now`
   * (units: ms, s, m, h, d, w).
   */
  DateTime: { input: TimeArgument; output: number; }
  /** A count that may pass 32 bits. A JSON number up to 2^53, a string of decimal digits above. */
  Long: { input: number; output: number; }
};

/**
 * What application a conversation carries, as nDPI tells from its first packets. Payload is looked at in the agent's native
 * part and not kept; only what is here comes out of it.
 */
export type Application = {
  readonly __typename?: 'Application';
  /** The protocol spoken, by nDPI's name: TLS, HTTP, DNS, SSH, Redis, PostgreSQL … */
  readonly protocol: Scalars['String']['output'];
  /** What is served over it (Google, Netflix), or the protocol again when that is not known. */
  readonly name: Scalars['String']['output'];
  /** nDPI's category: Web, Database, RemoteAccess …; null when it has none. */
  readonly category: Maybe<Scalars['String']['output']>;
  /** What it was told by; null when nDPI does not say. */
  readonly confidence: Maybe<ApplicationConfidence>;
  /** Server name indication of TLS or QUIC; null without. */
  readonly serverName: Maybe<Scalars['String']['output']>;
  /** Protocols that the client offers within TLS or QUIC (ALPN); null when it offers none. */
  readonly alpn: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** Version of TLS, for instance TLSv1.3; null when it is no TLS. */
  readonly tlsVersion: Maybe<Scalars['String']['output']>;
  /** Host header of the first HTTP request; null when it is no HTTP. */
  readonly httpHost: Maybe<Scalars['String']['output']>;
  /** User-Agent header of the first HTTP request; null without. */
  readonly httpUserAgent: Maybe<Scalars['String']['output']>;
  /** Name that the latest DNS query asks for; null when it is no DNS. */
  readonly dnsQuery: Maybe<Scalars['String']['output']>;
  /** RCODE of the answer to it: 0 no error, 3 no such name; null before an answer. */
  readonly dnsReplyCode: Maybe<Scalars['Int']['output']>;
  /** Identification of the SSH client, for instance SSH-2.0-OpenSSH_9.2; null when it is no SSH. */
  readonly sshClient: Maybe<Scalars['String']['output']>;
  /** Identification of the SSH server; null when it is no SSH. */
  readonly sshServer: Maybe<Scalars['String']['output']>;
};

/** What an application was told by, worst first. */
export type ApplicationConfidence =
  /** The port alone: a guess. */
  | 'PORT'
  /** The address alone: a guess. */
  | 'ADDRESS'
  /** Another conversation with the same end. */
  | 'CACHE'
  /** What the packets say. */
  | 'PACKETS';

/** One side of a flow. */
export type Endpoint = {
  readonly __typename?: 'Endpoint';
  /** IP address as text (RFC 5952), IPv4-mapped ones as IPv4; for PACKET sockets the interface's name or `any`. */
  readonly address: Scalars['String']['output'];
  /** Port; for ICMP echo the identifier; null for protocols without ports. */
  readonly port: Maybe<Scalars['Int']['output']>;
  /** Name that the host itself used for the address; null when unknown. Nothing is looked up. */
  readonly hostname: Maybe<Scalars['String']['output']>;
  /** It is on this host. */
  readonly local: Scalars['Boolean']['output'];
  /** The process that moved the bytes last, or owns the socket by the best evidence there is; null when remote or unknown. */
  readonly process: Maybe<Process>;
  /** Everyone that moved bytes here, most bytes first. Empty when the messages tier is off or nobody has. */
  readonly processes: ReadonlyArray<ProcessShare>;
  /** The process that made the socket; null when remote or unknown. */
  readonly creator: Maybe<Process>;
  /** Owner of the process; null when there is no known process. */
  readonly user: Maybe<User>;
  /** Container of the process; null outside containers or when there is no known process. */
  readonly container: Maybe<Container>;
  /** What this endpoint sent to the other. */
  readonly sent: Traffic;
  /**
   * What its process spent while it used the socket: from when it began to until it ended to, or, while it does, to its latest
   * sample. On a socket that serves several flows without connections, from the last sample before the flow. Null when remote,
   * and when it is not known; `Flow.notes` says why.
   */
  readonly usage: Maybe<Usage>;
};

/** What one endpoint sent to the other, since the start of the flow. */
export type Traffic = {
  readonly __typename?: 'Traffic';
  /** Octets at the IP layer, IP headers included (IPFIX octetTotalCount); null when unknown. */
  readonly octets: Maybe<Scalars['Long']['output']>;
  /** IP packets; null when unknown. */
  readonly packets: Maybe<Scalars['Long']['output']>;
  /**
   * Bytes that the process handed to its socket, or that arrived from a remote sender, as system calls count them. On raw
   * and packet sockets with the headers that the process writes or gets there. Null when unknown.
   */
  readonly payloadBytes: Maybe<Scalars['Long']['output']>;
  /** Send calls of a local sender, datagrams of a remote one; null when the messages tier is off or cannot tell. */
  readonly messages: Maybe<Scalars['Long']['output']>;
  /** TCP segments sent again, from the kernel's TCP; null for other protocols and remote senders. */
  readonly retransmittedPackets: Maybe<Scalars['Long']['output']>;
  /** True when octets are computed from segments and header sizes (within 0.5 %) instead of counted packet by packet. */
  readonly octetsDerived: Scalars['Boolean']['output'];
  /** All TCP flags seen from this endpoint; null when no tier saw its packets. */
  readonly tcpFlags: Maybe<ReadonlyArray<TcpFlag>>;
};

export type TcpFlag =
  /** No more data from the sender. */
  | 'FIN'
  /** Synchronise sequence numbers. */
  | 'SYN'
  /** Reset. */
  | 'RST'
  /** Push. */
  | 'PSH'
  /** Acknowledgement. */
  | 'ACK'
  /** Urgent pointer. */
  | 'URG'
  /** ECN echo. */
  | 'ECE'
  /** Congestion window reduced. */
  | 'CWR';

/** What one process moved on one endpoint. */
export type ProcessShare = {
  readonly __typename?: 'ProcessShare';
  /** The process. */
  readonly process: Process;
  /** Bytes it handed to the socket. */
  readonly sentPayloadBytes: Scalars['Long']['output'];
  /** Bytes it took from the socket. */
  readonly receivedPayloadBytes: Scalars['Long']['output'];
  /** What it spent while it used the socket, as `Endpoint.usage`; null when not known. */
  readonly usage: Maybe<Usage>;
};

/**
 * One request and its response within a flow: HTTP/1.0 and 1.1 on any port, keep-alive and pipelined. Both ends on this host
 * tell of one exchange. Bodies are counted, not looked at.
 */
export type Exchange = Node & {
  readonly __typename?: 'Exchange';
  /** Opaque id. */
  readonly id: Scalars['ID']['output'];
  /** The host whose agent saw it. */
  readonly host: Host;
  /** The connection. */
  readonly flow: Flow;
  /** Rises by one with each request of the connection, from 0; on one that is older than the agent, since the agent's start; from a higher number after the messages tier was put off. */
  readonly ordinal: Scalars['Int']['output'];
  /** HTTP/1.0 or HTTP/1.1. */
  readonly protocol: Scalars['String']['output'];
  /** The method, as it was sent. */
  readonly method: Scalars['String']['output'];
  /** The target of the request without its query string (see `exchanges.queryStrings`), never with a password; at most 1024 characters. */
  readonly target: Scalars['String']['output'];
  /** The Host header; null without. */
  readonly hostHeader: Maybe<Scalars['String']['output']>;
  /** The User-Agent header; null without. */
  readonly userAgent: Maybe<Scalars['String']['output']>;
  /** Status code of the response; null before it, and when there is none. */
  readonly status: Maybe<Scalars['Int']['output']>;
  /** What became of it; null while it lasts. */
  readonly outcome: Maybe<ExchangeOutcome>;
  /** First byte of the request: sent by the client if that is on this host, else taken by the server. */
  readonly startTime: Scalars['DateTime']['output'];
  /** Last byte of the request, likewise; null as long as it is not known. */
  readonly requestEndTime: Maybe<Scalars['DateTime']['output']>;
  /** First byte of the response: taken by the client if that is on this host, else sent by the server. Null before it. */
  readonly firstResponseByteTime: Maybe<Scalars['DateTime']['output']>;
  /** Last byte of the response, likewise; without a response, when the connection gave up. Null while it lasts. */
  readonly endTime: Maybe<Scalars['DateTime']['output']>;
  /** Milliseconds from the start to the end; null while it lasts. */
  readonly durationMs: Maybe<Scalars['Float']['output']>;
  /** Milliseconds from the first byte of the request to the last of the response as the server saw them; null when it is not on this host, and without a response. */
  readonly serverTimeMs: Maybe<Scalars['Float']['output']>;
  /** Bytes of the request, head and body as they were sent; null before the end. */
  readonly requestBytes: Maybe<Scalars['Long']['output']>;
  /** Bytes of the response, interim ones (100, 103) included; null before the end. */
  readonly responseBytes: Maybe<Scalars['Long']['output']>;
  /** The process that sent the request; null when it is not on this host. */
  readonly client: Maybe<Process>;
  /** The process that served it; null when it is not on this host. */
  readonly server: Maybe<Process>;
  /** The thread that took the request; null when the server is not on this host. */
  readonly thread: Maybe<Thread>;
  /** What the serving process spent from the first byte of the request to the last of the response. Null before that, and when not known; `notes` says why. */
  readonly usage: Maybe<Usage>;
  /** What the serving thread spent of it; null when several threads served. Memory is of the process, and null here. */
  readonly threadUsage: Maybe<Usage>;
  /**
   * What else ran on the host meanwhile: all processes but the serving one that spent anything, most first. It comes from
   * samples: of what a process spent from one sample to the next the part counts that lies within the exchange, as if all
   * was spent evenly. What came after the latest sample is not in it yet. Needs the scope `processes:read`.
   */
  readonly concurrentProcesses: ReadonlyArray<ProcessUsage>;
  /** What about this exchange is unknown or not exact, and why. Empty for most. */
  readonly notes: ReadonlyArray<ExchangeNote>;
};


/**
 * One request and its response within a flow: HTTP/1.0 and 1.1 on any port, keep-alive and pipelined. Both ends on this host
 * tell of one exchange. Bodies are counted, not looked at.
 */
export type ExchangeConcurrentProcessesArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<UsageMeasure>;
};

/** What became of an exchange. */
export type ExchangeOutcome =
  /** The response came, all of it. */
  | 'ANSWERED'
  /** The connection ended, or the next request came, before any response. */
  | 'UNANSWERED'
  /** The connection ended within the request or the response. */
  | 'INCOMPLETE'
  /** Another protocol follows on the connection: 101 Switching Protocols, or CONNECT. */
  | 'UPGRADED'
  /** Its end was not seen: events were lost, or the messages tier was put off. */
  | 'UNKNOWN';

/** A thread of a process. */
export type Thread = {
  readonly __typename?: 'Thread';
  /** Thread id in the host's pid namespace. */
  readonly tid: Scalars['Int']['output'];
  /** Name (comm), at most 15 bytes in the kernel; null when not known. */
  readonly name: Maybe<Scalars['String']['output']>;
};

/** What a process spent in a window. */
export type ProcessUsage = {
  readonly __typename?: 'ProcessUsage';
  /** The process. */
  readonly process: Process;
  /** What it spent, and in which window. */
  readonly usage: Usage;
};

/** What usage is compared by. */
export type UsageMeasure =
  /** CPU time. */
  | 'CPU_TIME'
  /** CPU time in percent of one CPU: windows of processes that started or exited meanwhile are shorter. */
  | 'CPU_LOAD'
  /** Resident memory at the window's end. */
  | 'MEMORY'
  /** Page faults without I/O. */
  | 'MINOR_FAULTS'
  /** Page faults with I/O. */
  | 'MAJOR_FAULTS'
  /** Time of waiting for block I/O. */
  | 'IO_WAIT'
  /** Bytes fetched from storage. */
  | 'READ_BYTES'
  /** Bytes sent to storage. */
  | 'WRITTEN_BYTES'
  /** Switches by waiting. */
  | 'VOLUNTARY_SWITCHES'
  /** Switches because time was up. */
  | 'INVOLUNTARY_SWITCHES';

/** Something unknown or not exact about an exchange, and why. */
export type ExchangeNote = {
  readonly __typename?: 'ExchangeNote';
  /** From a closed list, for programs. */
  readonly code: ExchangeNoteCode;
  /** The same as a sentence, for people. */
  readonly description: Scalars['String']['output'];
};

export type ExchangeNoteCode =
  /** The server is not on this host: thread and usage are not known. */
  | 'SERVER_REMOTE'
  /** The server is on this host, and was not seen to take the request: thread and usage are not known. */
  | 'SERVER_NOT_SEEN'
  /** The client is on this host, and was not seen to send the request: times are the server's. */
  | 'CLIENT_NOT_SEEN'
  /** What the server spent could not be read. */
  | 'USAGE_UNKNOWN'
  /** Several threads served it: what each spent is not known. */
  | 'THREAD_USAGE_UNKNOWN'
  /** The highest memory in the window is not known. */
  | 'PEAK_MEMORY_UNKNOWN'
  /** The kernel does not account how long the server waits for I/O: it is older than kernel.task_delayacct was on, or that is off. */
  | 'IO_WAIT_NOT_ACCOUNTED'
  /** The window of usage does not reach over all of the exchange. */
  | 'WINDOW_CUT'
  /** The request's head was longer than what is read of it: target and headers may be cut, or missing. */
  | 'HEAD_CUT'
  /** The end was not seen: events were lost, or the messages tier was put off. */
  | 'END_UNKNOWN'
  /** The messages tier was put off, to keep the agent's cost within its budget, before the end was seen. */
  | 'MESSAGES_TIER_SHED'
  /** Events of the connection were lost: times and sizes may be wrong. */
  | 'EVENTS_LOST';

/** The export of flows to one collector. Counts are since the agent's start. */
export type Exporter = {
  readonly __typename?: 'Exporter';
  /** The destination as it is configured. */
  readonly name: Scalars['String']['output'];
  /** The format of its messages. */
  readonly format: ExportFormat;
  /** What carries them. */
  readonly transport: ExportTransport;
  /** Whether it takes records now; over UDP that says only that packets can be sent, over ZMQ that somebody subscribed. */
  readonly state: ExporterState;
  /** Since when it is as it is. */
  readonly since: Scalars['DateTime']['output'];
  /** Flow records that were sent. */
  readonly sentRecords: Scalars['Long']['output'];
  /** Messages that were sent. */
  readonly sentMessages: Scalars['Long']['output'];
  /** Octets of these messages. */
  readonly sentOctets: Scalars['Long']['output'];
  /** Flow records that were not sent, because the collector was down or slow, or what describes them did not fit into a packet; of several ZMQ subscribers, one of them. */
  readonly notSentRecords: Scalars['Long']['output'];
  /** IP packets that these records tell of. */
  readonly notSentPackets: Scalars['Long']['output'];
  /** IP octets that these records tell of. */
  readonly notSentOctets: Scalars['Long']['output'];
  /** Octets of messages that wait; without those that libzmq has taken over. */
  readonly queuedBytes: Scalars['Long']['output'];
  /** Templates in use: one for each set of elements that some record had values for. ZMQ needs none. */
  readonly templates: Scalars['Int']['output'];
  /** How often it came up: connections made, files begun, subscriptions. */
  readonly sessions: Scalars['Int']['output'];
  /** What went wrong last; null when nothing did. */
  readonly lastError: Maybe<Scalars['String']['output']>;
  /** When that was. */
  readonly lastErrorTime: Maybe<Scalars['DateTime']['output']>;
};

export type ExportFormat =
  /** RFC 7011. */
  | 'IPFIX'
  /** RFC 3954. */
  | 'NETFLOW_V9'
  /** As ntopng reads it over ZMQ: nDPI's type, length and value. */
  | 'TLV'
  /** As ntopng reads it over ZMQ: JSON. */
  | 'JSON';

export type ExportTransport =
  /** A datagram for each message. */
  | 'UDP'
  /** One connection. */
  | 'TCP'
  /** One connection, encrypted, with the certificates of both ends verified. */
  | 'TLS'
  /** Files as of RFC 5655. */
  | 'FILE'
  /** ZeroMQ, to whoever subscribed. */
  | 'ZMQ';

export type ExporterState =
  /** It takes records. */
  | 'UP'
  /** It does not: records are counted as not sent. */
  | 'DOWN';

/** Conditions on text; all that are given must hold. Upper and lower case differ. A null operator sets no condition. */
export type StringFilter = {
  /** Equals. */
  readonly eq?: InputMaybe<Scalars['String']['input']>;
  /** Equals one of these; nothing equals one of an empty list. */
  readonly in?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  /** Begins with. */
  readonly prefix?: InputMaybe<Scalars['String']['input']>;
  /** Contains. */
  readonly contains?: InputMaybe<Scalars['String']['input']>;
};

/** Conditions on a whole number; all that are given must hold. What is unknown satisfies none. */
export type IntFilter = {
  /** Equals. */
  readonly eq?: InputMaybe<Scalars['Int']['input']>;
  /** Equals one of these. */
  readonly in?: InputMaybe<ReadonlyArray<Scalars['Int']['input']>>;
  /** Greater than or equal. */
  readonly gte?: InputMaybe<Scalars['Int']['input']>;
  /** Less than or equal. */
  readonly lte?: InputMaybe<Scalars['Int']['input']>;
};

/** Conditions on a count; all that are given must hold. What is unknown satisfies none. */
export type LongFilter = {
  /** Equals. */
  readonly eq?: InputMaybe<Scalars['Long']['input']>;
  /** Equals one of these. */
  readonly in?: InputMaybe<ReadonlyArray<Scalars['Long']['input']>>;
  /** Greater than or equal. */
  readonly gte?: InputMaybe<Scalars['Long']['input']>;
  /** Less than or equal. */
  readonly lte?: InputMaybe<Scalars['Long']['input']>;
};

/** Conditions on a measure; all that are given must hold. What is unknown satisfies none. */
export type FloatFilter = {
  /** Equals. */
  readonly eq?: InputMaybe<Scalars['Float']['input']>;
  /** Equals one of these. */
  readonly in?: InputMaybe<ReadonlyArray<Scalars['Float']['input']>>;
  /** Greater than or equal. */
  readonly gte?: InputMaybe<Scalars['Float']['input']>;
  /** Less than or equal. */
  readonly lte?: InputMaybe<Scalars['Float']['input']>;
};

/** Conditions on a time; all that are given must hold. What is unknown satisfies none. */
export type TimeFilter = {
  /** At or after. */
  readonly gte?: InputMaybe<Scalars['DateTime']['input']>;
  /** At or before. */
  readonly lte?: InputMaybe<Scalars['DateTime']['input']>;
};

/** Conditions on an IP address. */
export type IpFilter = {
  /** Is one of these addresses, or within one of these prefixes. An IPv4 prefix matches IPv4-mapped addresses too; an IPv6 prefix never matches IPv4. */
  readonly in: ReadonlyArray<Scalars['String']['input']>;
};

/**
 * What must hold for a flow: all fields that are given. Conditions on processes may be satisfied by either end: by the process
 * that moved the bytes last, by any that moved bytes there, or by the one that made the socket; and each field on its own, so
 * that `{process: {eq: "curl"}, user: {eq: "root"}}` also finds a flow between somebody's curl and root's nginx.
 */
export type FlowFilter = {
  /** Name (comm) of a process, or the last part of its executable's path. */
  readonly process?: InputMaybe<StringFilter>;
  /** Path of a process's executable. */
  readonly executable?: InputMaybe<StringFilter>;
  /** Command line of a process, as `Process.commandLine` has it. Needs the scope `cmdline:read`. */
  readonly commandLine?: InputMaybe<StringFilter>;
  /** Account name of a process's owner. */
  readonly user?: InputMaybe<StringFilter>;
  /** User id of a process's owner. */
  readonly uid?: InputMaybe<IntFilter>;
  /** Process id. */
  readonly pid?: InputMaybe<IntFilter>;
  /** Container id of a process. */
  readonly container?: InputMaybe<StringFilter>;
  /** systemd unit of a process. */
  readonly unit?: InputMaybe<StringFilter>;
  /** Address of either end. */
  readonly address?: InputMaybe<IpFilter>;
  /** Address of the client. */
  readonly clientAddress?: InputMaybe<IpFilter>;
  /** Address of the server. */
  readonly serverAddress?: InputMaybe<IpFilter>;
  /** Port of either end. */
  readonly port?: InputMaybe<IntFilter>;
  /** Port of the client. */
  readonly clientPort?: InputMaybe<IntFilter>;
  /** Port of the server. */
  readonly serverPort?: InputMaybe<IntFilter>;
  /** One of these protocols. */
  readonly protocol?: InputMaybe<ReadonlyArray<Protocol>>;
  /** One of these directions. */
  readonly direction?: InputMaybe<ReadonlyArray<Direction>>;
  /** One of these states. */
  readonly state?: InputMaybe<ReadonlyArray<FlowState>>;
  /** Ended for one of these reasons. */
  readonly endReason?: InputMaybe<ReadonlyArray<FlowEndReason>>;
  /** Application, or the protocol below it: `TLS` also finds what is told apart within TLS. */
  readonly application?: InputMaybe<StringFilter>;
  /** Category of the application. */
  readonly category?: InputMaybe<StringFilter>;
  /** Server name indication of TLS or QUIC. */
  readonly serverName?: InputMaybe<StringFilter>;
  /** Name that the latest DNS query asks for. */
  readonly dnsQuery?: InputMaybe<StringFilter>;
  /** Has at least one of these notes. */
  readonly note?: InputMaybe<ReadonlyArray<FlowNoteCode>>;
  /** Community ID. */
  readonly communityId?: InputMaybe<StringFilter>;
  /** 4 or 6. */
  readonly ipVersion?: InputMaybe<IntFilter>;
  /** Octets of both directions together. */
  readonly octets?: InputMaybe<LongFilter>;
  /** Packets of both directions together. */
  readonly packets?: InputMaybe<LongFilter>;
  /** Payload bytes of both directions together. */
  readonly payloadBytes?: InputMaybe<LongFilter>;
  /** Duration in milliseconds. */
  readonly durationMs?: InputMaybe<FloatFilter>;
  /** Round-trip time in microseconds. */
  readonly rttMicros?: InputMaybe<FloatFilter>;
  /** Start. */
  readonly startTime?: InputMaybe<TimeFilter>;
  /** Last packet. */
  readonly lastTime?: InputMaybe<TimeFilter>;
  /** End; a flow that lasts has none. */
  readonly endTime?: InputMaybe<TimeFilter>;
  /** Older than the agent, or not. */
  readonly startedBefore?: InputMaybe<Scalars['Boolean']['input']>;
  /** All of these must hold. */
  readonly and?: InputMaybe<ReadonlyArray<FlowFilter>>;
  /** At least one of these must hold. */
  readonly or?: InputMaybe<ReadonlyArray<FlowFilter>>;
  /** This must not hold. A condition on something unknown does not hold, so its `not` does. */
  readonly not?: InputMaybe<FlowFilter>;
};

/** What must hold for a process: all fields that are given. */
export type ProcessFilter = {
  /** Name (comm), or the last part of the executable's path. */
  readonly process?: InputMaybe<StringFilter>;
  /** Name (comm) only. */
  readonly name?: InputMaybe<StringFilter>;
  /** Path of the executable. */
  readonly executable?: InputMaybe<StringFilter>;
  /** Command line, as `Process.commandLine` has it. Needs the scope `cmdline:read`. */
  readonly commandLine?: InputMaybe<StringFilter>;
  /** Account name of the owner. */
  readonly user?: InputMaybe<StringFilter>;
  /** User id of the owner. */
  readonly uid?: InputMaybe<IntFilter>;
  /** Group id. */
  readonly gid?: InputMaybe<IntFilter>;
  /** Process id. */
  readonly pid?: InputMaybe<IntFilter>;
  /** Process id of the parent. */
  readonly parentPid?: InputMaybe<IntFilter>;
  /** Container id. */
  readonly container?: InputMaybe<StringFilter>;
  /** systemd unit. */
  readonly unit?: InputMaybe<StringFilter>;
  /** Start. */
  readonly startTime?: InputMaybe<TimeFilter>;
  /** Exit; a living process has none. */
  readonly endTime?: InputMaybe<TimeFilter>;
  /** Lives now, or has exited. */
  readonly alive?: InputMaybe<Scalars['Boolean']['input']>;
  /** Older than the agent, or not. */
  readonly startedBefore?: InputMaybe<Scalars['Boolean']['input']>;
  /** All of these must hold. */
  readonly and?: InputMaybe<ReadonlyArray<ProcessFilter>>;
  /** At least one of these must hold. */
  readonly or?: InputMaybe<ReadonlyArray<ProcessFilter>>;
  /** This must not hold. */
  readonly not?: InputMaybe<ProcessFilter>;
};

/**
 * What must hold for an exchange: all fields that are given. Conditions on processes may be satisfied by either end, the one
 * that sent the request or the one that served it.
 */
export type ExchangeFilter = {
  /** Name (comm) of a process, or the last part of its executable's path. */
  readonly process?: InputMaybe<StringFilter>;
  /** Path of a process's executable. */
  readonly executable?: InputMaybe<StringFilter>;
  /** Command line of a process, as `Process.commandLine` has it. Needs the scope `cmdline:read`. */
  readonly commandLine?: InputMaybe<StringFilter>;
  /** Account name of a process's owner. */
  readonly user?: InputMaybe<StringFilter>;
  /** User id of a process's owner. */
  readonly uid?: InputMaybe<IntFilter>;
  /** Process id. */
  readonly pid?: InputMaybe<IntFilter>;
  /** Container id of a process. */
  readonly container?: InputMaybe<StringFilter>;
  /** systemd unit of a process. */
  readonly unit?: InputMaybe<StringFilter>;
  /** Address of either end. */
  readonly address?: InputMaybe<IpFilter>;
  /** Address of the client. */
  readonly clientAddress?: InputMaybe<IpFilter>;
  /** Address of the server. */
  readonly serverAddress?: InputMaybe<IpFilter>;
  /** Port of either end. */
  readonly port?: InputMaybe<IntFilter>;
  /** Port of the client. */
  readonly clientPort?: InputMaybe<IntFilter>;
  /** Port of the server. */
  readonly serverPort?: InputMaybe<IntFilter>;
  /** One of these directions of the flow. */
  readonly direction?: InputMaybe<ReadonlyArray<Direction>>;
  /** Id of the flow. */
  readonly flow?: InputMaybe<StringFilter>;
  /** HTTP/1.0 or HTTP/1.1. */
  readonly protocol?: InputMaybe<StringFilter>;
  /** Method. */
  readonly method?: InputMaybe<StringFilter>;
  /** Target, as `Exchange.target` has it. */
  readonly target?: InputMaybe<StringFilter>;
  /** Host header. */
  readonly host?: InputMaybe<StringFilter>;
  /** User-Agent header. */
  readonly userAgent?: InputMaybe<StringFilter>;
  /** Status code. */
  readonly status?: InputMaybe<IntFilter>;
  /** Came to one of these. */
  readonly outcome?: InputMaybe<ReadonlyArray<ExchangeOutcome>>;
  /** Has at least one of these notes. */
  readonly note?: InputMaybe<ReadonlyArray<ExchangeNoteCode>>;
  /** Lasts, or is over. */
  readonly live?: InputMaybe<Scalars['Boolean']['input']>;
  /** Took at least so many milliseconds: the same as `durationMs: {gte: …}`. */
  readonly minDurationMs?: InputMaybe<Scalars['Float']['input']>;
  /** Duration in milliseconds. What lasts has none. */
  readonly durationMs?: InputMaybe<FloatFilter>;
  /** Time that the server took, in milliseconds. */
  readonly serverTimeMs?: InputMaybe<FloatFilter>;
  /** CPU time that the serving process spent meanwhile, in milliseconds. */
  readonly cpuTimeMs?: InputMaybe<FloatFilter>;
  /** Bytes of the request. */
  readonly requestBytes?: InputMaybe<LongFilter>;
  /** Bytes of the response. */
  readonly responseBytes?: InputMaybe<LongFilter>;
  /** Start. */
  readonly startTime?: InputMaybe<TimeFilter>;
  /** End; an exchange that lasts has none. */
  readonly endTime?: InputMaybe<TimeFilter>;
  /** All of these must hold. */
  readonly and?: InputMaybe<ReadonlyArray<ExchangeFilter>>;
  /** At least one of these must hold. */
  readonly or?: InputMaybe<ReadonlyArray<ExchangeFilter>>;
  /** This must not hold. A condition on something unknown does not hold, so its `not` does. */
  readonly not?: InputMaybe<ExchangeFilter>;
};

/** What must hold for a user: all fields that are given. */
export type UserFilter = {
  /** Account name. */
  readonly name?: InputMaybe<StringFilter>;
  /** User id. */
  readonly uid?: InputMaybe<IntFilter>;
  /** All of these must hold. */
  readonly and?: InputMaybe<ReadonlyArray<UserFilter>>;
  /** At least one of these must hold. */
  readonly or?: InputMaybe<ReadonlyArray<UserFilter>>;
  /** This must not hold. */
  readonly not?: InputMaybe<UserFilter>;
};

/** What must hold for a container: all fields that are given. */
export type ContainerFilter = {
  /** Container id. */
  readonly id?: InputMaybe<StringFilter>;
  /** docker, containerd, cri-o, podman, lxc or systemd-nspawn. */
  readonly runtime?: InputMaybe<StringFilter>;
  /** Kubernetes pod UID. */
  readonly podUid?: InputMaybe<StringFilter>;
  /** All of these must hold. */
  readonly and?: InputMaybe<ReadonlyArray<ContainerFilter>>;
  /** At least one of these must hold. */
  readonly or?: InputMaybe<ReadonlyArray<ContainerFilter>>;
  /** This must not hold. */
  readonly not?: InputMaybe<ContainerFilter>;
};

/** Order of flows; ties by id. */
export type FlowOrder = {
  /** What to order by. */
  readonly field: FlowOrderField;
  /** Which way. */
  readonly direction?: InputMaybe<OrderDirection>;
};

export type FlowOrderField =
  /** Start. The order that needs nothing kept between pages. */
  | 'START_TIME'
  /** Last packet. */
  | 'LAST_TIME'
  /** End; flows that last come last. */
  | 'END_TIME'
  /** Duration. */
  | 'DURATION'
  /** Octets of both directions together. */
  | 'OCTETS'
  /** Packets of both directions together. */
  | 'PACKETS'
  /** Payload bytes of both directions together. */
  | 'PAYLOAD_BYTES'
  /** Retransmitted packets of both directions together. */
  | 'RETRANSMITTED_PACKETS'
  /** Round-trip time. */
  | 'RTT';

/** Order of processes; ties by id. */
export type ProcessOrder = {
  /** What to order by. */
  readonly field: ProcessOrderField;
  /** Which way. */
  readonly direction?: InputMaybe<OrderDirection>;
};

export type ProcessOrderField =
  /** Start. */
  | 'START_TIME'
  /** Exit; living processes come last. */
  | 'END_TIME'
  /** Process id. */
  | 'PID'
  /** Name (comm), by code point. */
  | 'NAME'
  /** Number of remembered flows. */
  | 'FLOWS'
  /** CPU time since the start. */
  | 'CPU_TIME'
  /** CPU time between the two latest samples, in percent of one CPU. */
  | 'CPU_LOAD'
  /** Resident memory at the latest sample. */
  | 'MEMORY'
  /** Page faults without I/O since the start. */
  | 'MINOR_FAULTS'
  /** Page faults with I/O since the start. */
  | 'MAJOR_FAULTS'
  /** Time of waiting for block I/O since the start. */
  | 'IO_WAIT'
  /** Bytes fetched from storage since the start. */
  | 'READ_BYTES'
  /** Bytes sent to storage since the start. */
  | 'WRITTEN_BYTES'
  /** Switches by waiting since the start. */
  | 'VOLUNTARY_SWITCHES'
  /** Switches because time was up, since the start. */
  | 'INVOLUNTARY_SWITCHES'
  /** Highest resident memory. */
  | 'PEAK_MEMORY'
  /** Octets sent since the agent's start. */
  | 'SENT_OCTETS'
  /** Octets received since the agent's start. */
  | 'RECEIVED_OCTETS'
  /** Packets sent since the agent's start. */
  | 'SENT_PACKETS'
  /** Packets received since the agent's start. */
  | 'RECEIVED_PACKETS'
  /** Ends of live flows. */
  | 'CONNECTIONS';

/** Order of exchanges; ties by id. */
export type ExchangeOrder = {
  /** What to order by. */
  readonly field: ExchangeOrderField;
  /** Which way. */
  readonly direction?: InputMaybe<OrderDirection>;
};

export type ExchangeOrderField =
  /** Start. */
  | 'START_TIME'
  /** End; exchanges that last come last. */
  | 'END_TIME'
  /** Duration. */
  | 'DURATION'
  /** Time that the server took. */
  | 'SERVER_TIME'
  /** CPU time that the serving process spent meanwhile. */
  | 'CPU_TIME'
  /** Bytes of the request. */
  | 'REQUEST_BYTES'
  /** Bytes of the response. */
  | 'RESPONSE_BYTES';

/** Order of users; ties by id. */
export type UserOrder = {
  /** What to order by. */
  readonly field: UserOrderField;
  /** Which way. */
  readonly direction?: InputMaybe<OrderDirection>;
};

export type UserOrderField =
  /** User id. */
  | 'UID'
  /** Account name, by code point. */
  | 'NAME'
  /** CPU time since the agent's start. */
  | 'CPU_TIME'
  /** CPU time between the two latest samples, in percent of one CPU. */
  | 'CPU_LOAD'
  /** Resident memory at the latest sample. */
  | 'MEMORY'
  /** Page faults without I/O since the agent's start. */
  | 'MINOR_FAULTS'
  /** Page faults with I/O since the agent's start. */
  | 'MAJOR_FAULTS'
  /** Time of waiting for block I/O since the agent's start. */
  | 'IO_WAIT'
  /** Bytes fetched from storage since the agent's start. */
  | 'READ_BYTES'
  /** Bytes sent to storage since the agent's start. */
  | 'WRITTEN_BYTES'
  /** Switches by waiting since the agent's start. */
  | 'VOLUNTARY_SWITCHES'
  /** Switches because time was up, since the agent's start. */
  | 'INVOLUNTARY_SWITCHES'
  /** Highest resident memory. */
  | 'PEAK_MEMORY'
  /** Octets sent since the agent's start. */
  | 'SENT_OCTETS'
  /** Octets received since the agent's start. */
  | 'RECEIVED_OCTETS'
  /** Packets sent since the agent's start. */
  | 'SENT_PACKETS'
  /** Packets received since the agent's start. */
  | 'RECEIVED_PACKETS'
  /** Ends of live flows. */
  | 'CONNECTIONS';

/** Order of containers; ties by id. */
export type ContainerOrder = {
  /** What to order by. */
  readonly field: ContainerOrderField;
  /** Which way. */
  readonly direction?: InputMaybe<OrderDirection>;
};

export type ContainerOrderField =
  /** Container id, by code point. */
  | 'ID'
  /** CPU time since the agent's start. */
  | 'CPU_TIME'
  /** CPU time between the two latest samples, in percent of one CPU. */
  | 'CPU_LOAD'
  /** Resident memory at the latest sample. */
  | 'MEMORY'
  /** Page faults without I/O since the agent's start. */
  | 'MINOR_FAULTS'
  /** Page faults with I/O since the agent's start. */
  | 'MAJOR_FAULTS'
  /** Time of waiting for block I/O since the agent's start. */
  | 'IO_WAIT'
  /** Bytes fetched from storage since the agent's start. */
  | 'READ_BYTES'
  /** Bytes sent to storage since the agent's start. */
  | 'WRITTEN_BYTES'
  /** Switches by waiting since the agent's start. */
  | 'VOLUNTARY_SWITCHES'
  /** Switches because time was up, since the agent's start. */
  | 'INVOLUNTARY_SWITCHES'
  /** Highest resident memory. */
  | 'PEAK_MEMORY'
  /** Octets sent since the agent's start. */
  | 'SENT_OCTETS'
  /** Octets received since the agent's start. */
  | 'RECEIVED_OCTETS'
  /** Packets sent since the agent's start. */
  | 'SENT_PACKETS'
  /** Packets received since the agent's start. */
  | 'RECEIVED_PACKETS'
  /** Ends of live flows. */
  | 'CONNECTIONS';

/**
 * A conversation of two endpoints, from its first to its last packet. Two local sockets of one conversation (loopback, two
 * containers) are one flow with both sides local.
 */
export type Flow = Node & {
  readonly __typename?: 'Flow';
  /** Opaque id. */
  readonly id: Scalars['ID']['output'];
  /** Community ID version 1 with seed 0, as Zeek and Suricata write it; null where the protocol has none or an address is unknown. */
  readonly communityId: Maybe<Scalars['String']['output']>;
  /** The host whose agent saw the flow. */
  readonly host: Host;
  /** Transport protocol, or the kind of socket for RAW and PACKET. */
  readonly protocol: Protocol;
  /** IANA protocol number; 0 for PACKET sockets. */
  readonly protocolNumber: Scalars['Int']['output'];
  /** 4 or 6; null for PACKET sockets. IPv4 over an IPv6 socket is 4. */
  readonly ipVersion: Maybe<Scalars['Int']['output']>;
  /** Who opened it, seen from this host. */
  readonly direction: Direction;
  /** Where in its life it is. */
  readonly state: FlowState;
  /** The side that opened it: connected, or sent the first datagram. */
  readonly client: Endpoint;
  /** The other side. */
  readonly server: Endpoint;
  /** First packet or connect; for a flow older than the agent what the kernel tells, else when it was first seen (note START_TIME_UNKNOWN). */
  readonly startTime: Scalars['DateTime']['output'];
  /** Last packet known of; as old as the last reading of the kernel's counters. */
  readonly lastTime: Scalars['DateTime']['output'];
  /** End; null while it lasts. */
  readonly endTime: Maybe<Scalars['DateTime']['output']>;
  /** Milliseconds from the start to the end, or to the last packet while it lasts. */
  readonly durationMs: Scalars['Float']['output'];
  /** Why it ended; null while it lasts. */
  readonly endReason: Maybe<FlowEndReason>;
  /** It is older than the agent. */
  readonly startedBefore: Scalars['Boolean']['output'];
  /** Smoothed round-trip time in microseconds as the kernel's TCP has it; null for other protocols and before the first measurement. */
  readonly rttMicros: Maybe<Scalars['Float']['output']>;
  /** Smallest round-trip time in microseconds as the kernel's TCP has it; null for other protocols and before the first measurement. */
  readonly minRttMicros: Maybe<Scalars['Float']['output']>;
  /** The application that its first packets tell of; null when they do not, or when nobody looked, which a note tells. */
  readonly application: Maybe<Application>;
  /** Requests and responses within it: those that last, and those that ended a short while ago. */
  readonly exchanges: ExchangeConnection;
  /** What about this flow is unknown or not exact, and why. Empty for most. */
  readonly notes: ReadonlyArray<FlowNote>;
};


/**
 * A conversation of two endpoints, from its first to its last packet. Two local sockets of one conversation (loopback, two
 * containers) are one flow with both sides local.
 */
export type FlowExchangesArgs = {
  where: InputMaybe<ExchangeFilter>;
  except: InputMaybe<ExchangeFilter>;
  orderBy: InputMaybe<ExchangeOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};

export type Protocol =
  /** Transmission Control Protocol, 6. */
  | 'TCP'
  /** User Datagram Protocol, 17. */
  | 'UDP'
  /** Internet Control Message Protocol, 1. */
  | 'ICMP'
  /** ICMP for IPv6, 58. */
  | 'ICMPV6'
  /** Stream Control Transmission Protocol, 132. */
  | 'SCTP'
  /** A raw IP socket of a protocol without a word here. */
  | 'RAW'
  /** A packet socket (AF_PACKET), below IP. */
  | 'PACKET'
  /** Any other protocol; see protocolNumber. */
  | 'OTHER';

export type Direction =
  /** Opened from elsewhere to this host. */
  | 'INBOUND'
  /** Opened by this host to elsewhere. */
  | 'OUTBOUND'
  /** Both ends are on this host. */
  | 'LOCAL'
  /** Passes through: neither end is on this host. */
  | 'FORWARDED';

export type FlowState =
  /** A connect that was not answered yet. */
  | 'OPENING'
  /** Established; for protocols without connections, packets flow. */
  | 'OPEN'
  /** One side has ended. */
  | 'CLOSING'
  /** Over; kept for a short while. */
  | 'ENDED';

/** RFC 5102 flowEndReason where it has a word, and what became of a connection otherwise. */
export type FlowEndReason =
  /** Silent for the idle timeout. */
  | 'IDLE'
  /** Reported and begun anew at the active timeout. */
  | 'ACTIVE'
  /** Both sides closed. */
  | 'END_OF_FLOW'
  /** The agent stopped, or had no room. */
  | 'FORCED'
  /** The server refused the connection. */
  | 'REFUSED'
  /** One side reset the connection. */
  | 'RESET'
  /** No route, or an ICMP error told that nobody is there. */
  | 'UNREACHABLE'
  /** The other side did not answer. */
  | 'TIMED_OUT'
  /** The process gave up before the connection stood, or aborted it. */
  | 'ABORTED';

/** Something unknown or not exact about a flow, and why. */
export type FlowNote = {
  readonly __typename?: 'FlowNote';
  /** From a closed list, for programs. */
  readonly code: FlowNoteCode;
  /** The same as a sentence, for people. */
  readonly description: Scalars['String']['output'];
};

export type FlowNoteCode =
  /** The flow is older than the agent and the kernel keeps no counters for it: octets and packets count from the agent's start. */
  | 'COUNTERS_SINCE_AGENT_START'
  /** The flow is older than the agent and the kernel does not tell since when: startTime is when it was first seen. */
  | 'START_TIME_UNKNOWN'
  /** The other end's address is not known. */
  | 'PEER_UNKNOWN'
  /** The local address is not known: the socket is bound to any. */
  | 'LOCAL_ADDRESS_UNKNOWN'
  /** No process could be bound to a local end. */
  | 'OWNER_UNKNOWN'
  /** The process is taken from the listening socket: nobody has moved bytes yet. */
  | 'OWNER_FROM_LISTENER'
  /** The messages tier is off: payload per process and message counts are not known. */
  | 'MESSAGES_TIER_OFF'
  /** No tier saw packets: TCP flags are not known. */
  | 'TCP_FLAGS_TIER_OFF'
  /** Octets at the IP layer are not known for this protocol in the present tiers. */
  | 'OCTETS_UNKNOWN'
  /** Events of this flow were lost; counters may be low. */
  | 'EVENTS_LOST'
  /** A process exists but the agent may not see it: it lacks privileges. */
  | 'PROCESS_NOT_VISIBLE'
  /** Some packets were not seen: TCP flags may lack some. */
  | 'TCP_FLAGS_PARTIAL'
  /** The packets tier is off: the application is not known. */
  | 'APPLICATION_TIER_OFF'
  /** The packets tier was put off to keep the agent's cost within its budget: the application is not known. */
  | 'APPLICATION_TIER_SHED'
  /** The application is not known: no packets with payload were looked at so far, or none that tell. */
  | 'APPLICATION_UNDETECTED'
  /** The messages tier was put off to keep the agent's cost within its budget: shares of processes and message counts are not known, or not of all of the flow. */
  | 'MESSAGES_TIER_SHED'
  /** The resources tier was off when the flow began: what its processes spent is not known. */
  | 'RESOURCES_TIER_OFF'
  /** What a process had spent when it began to use the socket is not known: the socket is older than the agent, or the reading was lost. */
  | 'USAGE_START_UNKNOWN'
  /** What a process had spent when it ended to use the socket is not known: usage ends with its last sample, or is null when there was none. */
  | 'USAGE_END_UNKNOWN'
  /** The kernel does not account how long a process waits for I/O: it is older than kernel.task_delayacct was on, or that is off. */
  | 'IO_WAIT_NOT_ACCOUNTED'
  /** The highest memory in a window of usage is not known. */
  | 'PEAK_MEMORY_UNKNOWN';

/** A machine with an agent: what the agent captures, what it lost and what it costs. */
export type Host = {
  readonly __typename?: 'Host';
  /** Opaque id. */
  readonly id: Scalars['ID']['output'];
  /** Host name. */
  readonly name: Scalars['String']['output'];
  /** The kernel's id of this boot. */
  readonly bootId: Scalars['String']['output'];
  /** Kernel release. */
  readonly kernel: Scalars['String']['output'];
  /** Version of the agent. */
  readonly agentVersion: Scalars['String']['output'];
  /** Process id of the agent. */
  readonly agentPid: Scalars['Int']['output'];
  /** When the agent started. */
  readonly startTime: Scalars['DateTime']['output'];
  /** Where flows come from: `ebpf`, `ebpf-limited`, `procfs` or `replay`. */
  readonly source: Scalars['String']['output'];
  /** Why not a better source, and the cure where there is one; null when it is the best. */
  readonly sourceReason: Maybe<Scalars['String']['output']>;
  /** The parts of capture. */
  readonly tiers: ReadonlyArray<Tier>;
  /** What was lost, by place; every place that can lose something is listed, with 0 when it did not. */
  readonly losses: ReadonlyArray<Loss>;
  /** What all processes spent together since the agent's start, also those that lived shorter than a sampling interval. `peakMemoryBytes` is the highest sum at a sample. Null before the first sample. */
  readonly usage: Maybe<Usage>;
  /** What all processes spent together between the two latest samples; null before there were two. */
  readonly currentUsage: Maybe<Usage>;
  /** What all processes moved over the network. */
  readonly network: NetworkUsage;
  /** What it spent and moved over time, from the series that are kept in memory. */
  readonly series: TimeSeries;
  /** Flows that live now. */
  readonly liveFlows: Scalars['Int']['output'];
  /** Flows that ended and are still remembered. */
  readonly endedFlows: Scalars['Int']['output'];
  /** Processes that live now. */
  readonly liveProcesses: Scalars['Int']['output'];
  /** Flows that started since the agent's start. */
  readonly flowsStarted: Scalars['Long']['output'];
  /** Flows that ended since the agent's start. */
  readonly flowsEnded: Scalars['Long']['output'];
  /** Exchanges that last now. */
  readonly liveExchanges: Scalars['Int']['output'];
  /** Exchanges that ended and are still remembered. */
  readonly endedExchanges: Scalars['Int']['output'];
  /** Exchanges that started since the agent's start. */
  readonly exchangesStarted: Scalars['Long']['output'];
  /** Exchanges that ended since the agent's start. */
  readonly exchangesEnded: Scalars['Long']['output'];
  /** CPU time of the agent's user space since its start, in milliseconds. */
  readonly agentCpuTimeMs: Scalars['Float']['output'];
  /** Resident memory of the agent, in bytes. */
  readonly agentMemoryBytes: Scalars['Long']['output'];
  /** Runs of each program in the kernel since the start; empty without BPF. */
  readonly programRuns: ReadonlyArray<ProgramRuns>;
  /** What the programs in the kernel cost, and what was put off to keep that within the budget; null without BPF. */
  readonly governor: Maybe<Governor>;
  /** How long the last reading of live sockets took, in milliseconds; null before the first. */
  readonly lastPollMs: Maybe<Scalars['Float']['output']>;
  /** The interval at which live sockets are read now, in milliseconds; null before the first reading. */
  readonly pollIntervalMs: Maybe<Scalars['Float']['output']>;
  /** The interval at which it is read what each process has spent, in milliseconds; null when it is not. */
  readonly sampleIntervalMs: Maybe<Scalars['Float']['output']>;
  /** Whether the kernel accounts what processes wait for, as I/O wait needs it; null without BPF. */
  readonly delayAccounting: Maybe<DelayAccounting>;
  /** Subscribers of events at this moment, over all doors. */
  readonly subscribers: Scalars['Int']['output'];
  /** Where flows are exported to, and how that goes. */
  readonly exporters: ReadonlyArray<Exporter>;
  /** What the agent may do beyond an ordinary process of its user. */
  readonly agentCapabilities: AgentCapabilities;
};


/** A machine with an agent: what the agent captures, what it lost and what it costs. */
export type HostSeriesArgs = {
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  stepMs: InputMaybe<Scalars['Int']['input']>;
};

/** Effective capabilities of the agent's threads, by their names in capabilities(7). */
export type AgentCapabilities = {
  readonly __typename?: 'AgentCapabilities';
  /** Of the thread that captures; null when nothing is captured. */
  readonly capture: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** Of all other threads, among them the one that serves the API. */
  readonly others: ReadonlyArray<Scalars['String']['output']>;
};

/** A part of capture and whether it runs. */
export type Tier = {
  readonly __typename?: 'Tier';
  /** lifecycle, messages, packets, forwarded or resources. */
  readonly name: Scalars['String']['output'];
  /** Whether it runs. */
  readonly state: TierState;
  /** Why it is not on, or which part of it is not, with the cure where there is one; null when all of it is on. */
  readonly reason: Maybe<Scalars['String']['output']>;
  /** Since when it is as it is; null when that is not known. */
  readonly since: Maybe<Scalars['DateTime']['output']>;
};

export type TierState =
  /** It runs. */
  | 'ON'
  /** Off by configuration. */
  | 'OFF'
  /** The kernel or the privileges do not allow it. */
  | 'UNAVAILABLE'
  /** Put off by the agent, to keep its cost within the budget; the messages tier for TCP only. */
  | 'SHED';

export type DelayAccounting =
  /** It did so before the agent started. */
  | 'ON'
  /** An agent switched it on (`kernel.task_delayacct`), until the last one stops: processes from before are not accounted. */
  | 'SWITCHED_ON'
  /** It does not: the reason is with the tier. */
  | 'OFF';

/**
 * What the programs in the kernel cost, and what was put off to keep that within the budget: first the packets tier, then the
 * messages tier as far as TCP goes. What the agent itself spends is `agentCpuTimeMs`.
 */
export type Governor = {
  readonly __typename?: 'Governor';
  /** What the programs may take of one core, in percent (`governor.budgetPercent`); 0 for no limit. */
  readonly budgetPercent: Scalars['Float']['output'];
  /** What all of them took of one core in the last second, in percent; above 100 is more than a core. Null before the first second. */
  readonly loadPercent: Maybe<Scalars['Float']['output']>;
  /** Whether it is measured what a run of a program takes. */
  readonly calibration: Calibration;
  /** Why it is not measured; null when it is, or was not tried yet. */
  readonly calibrationReason: Maybe<Scalars['String']['output']>;
  /** What each costs. */
  readonly programs: ReadonlyArray<ProgramCost>;
  /** Since when something has been put off; null when nothing is. */
  readonly shedSince: Maybe<Scalars['DateTime']['output']>;
  /** When tiers were put off, the latest 100, oldest first. In those of the messages tier no exchanges were followed. */
  readonly shedSpans: ReadonlyArray<ShedSpan>;
};

export type Calibration =
  /** Not yet: costs are assumed. */
  | 'PENDING'
  /** Measured for a tenth of a second every ten seconds. */
  | 'MEASURED'
  /** It cannot be measured here: costs are assumed. */
  | 'CONSTANT';

/** What one program in the kernel costs. */
export type ProgramCost = {
  readonly __typename?: 'ProgramCost';
  /** Name of the program, as in `programRuns`. */
  readonly name: Scalars['String']['output'];
  /** Runs since the start of the agent. */
  readonly runs: Scalars['Long']['output'];
  /** Runs in the last second; null before the first. */
  readonly runsPerSecond: Maybe<Scalars['Float']['output']>;
  /** What one run takes, in nanoseconds, on average; null before the first second. */
  readonly costNs: Maybe<Scalars['Float']['output']>;
  /** What it took of one core in the last second, in percent; null before the first. */
  readonly loadPercent: Maybe<Scalars['Float']['output']>;
};

/** A time in which a tier was put off. */
export type ShedSpan = {
  readonly __typename?: 'ShedSpan';
  /** packets, or messages, which are put off for TCP only. */
  readonly tier: Scalars['String']['output'];
  /** When it was put off. */
  readonly from: Scalars['DateTime']['output'];
  /** When it ran again; null as long as it does not. */
  readonly to: Maybe<Scalars['DateTime']['output']>;
};

/** Events or records that were lost at one place since the start of the agent. */
export type Loss = {
  readonly __typename?: 'Loss';
  /** Where: for instance ringBuffer.socket, socketTable, batchQueue, subscriber. */
  readonly place: Scalars['String']['output'];
  /** How many. */
  readonly count: Scalars['Long']['output'];
};

/** How often one program in the kernel ran since the start of the agent. */
export type ProgramRuns = {
  readonly __typename?: 'ProgramRuns';
  /** Name of the program. */
  readonly program: Scalars['String']['output'];
  /** Runs. */
  readonly runs: Scalars['Long']['output'];
};

/** Where a page lies in its list. */
export type PageInfo = {
  readonly __typename?: 'PageInfo';
  /** Whether rows follow this page. */
  readonly hasNextPage: Scalars['Boolean']['output'];
  /** Whether rows come before this page, that is whether `after` was given. */
  readonly hasPreviousPage: Scalars['Boolean']['output'];
  /** Cursor of the first row of the page; null on an empty page. */
  readonly startCursor: Maybe<Scalars['String']['output']>;
  /** Cursor of the last row of the page, for `after`; null on an empty page. */
  readonly endCursor: Maybe<Scalars['String']['output']>;
};

/** One page of flows. */
export type FlowConnection = {
  readonly __typename?: 'FlowConnection';
  /** The flows of the page, in order. */
  readonly nodes: ReadonlyArray<Flow>;
  /** The flows of the page, each with its cursor. */
  readonly edges: ReadonlyArray<FlowEdge>;
  /** Where the page lies. */
  readonly pageInfo: PageInfo;
  /** How many flows the whole list has: those that pass the filter, over all pages. */
  readonly totalCount: Scalars['Int']['output'];
};

/** A flow and its place in the list. */
export type FlowEdge = {
  readonly __typename?: 'FlowEdge';
  /** The flow. */
  readonly node: Flow;
  /** Its place, for `after`. */
  readonly cursor: Scalars['String']['output'];
};

/** One page of processes. */
export type ProcessConnection = {
  readonly __typename?: 'ProcessConnection';
  /** The processes of the page, in order. */
  readonly nodes: ReadonlyArray<Process>;
  /** The processes of the page, each with its cursor. */
  readonly edges: ReadonlyArray<ProcessEdge>;
  /** Where the page lies. */
  readonly pageInfo: PageInfo;
  /** How many processes the whole list has: those that pass the filter, over all pages. */
  readonly totalCount: Scalars['Int']['output'];
};

/** A process and its place in the list. */
export type ProcessEdge = {
  readonly __typename?: 'ProcessEdge';
  /** The process. */
  readonly node: Process;
  /** Its place, for `after`. */
  readonly cursor: Scalars['String']['output'];
};

/** One page of users. */
export type UserConnection = {
  readonly __typename?: 'UserConnection';
  /** The users of the page, in order. */
  readonly nodes: ReadonlyArray<User>;
  /** The users of the page, each with its cursor. */
  readonly edges: ReadonlyArray<UserEdge>;
  /** Where the page lies. */
  readonly pageInfo: PageInfo;
  /** How many users the whole list has: those that pass the filter, over all pages. */
  readonly totalCount: Scalars['Int']['output'];
};

/** A user and its place in the list. */
export type UserEdge = {
  readonly __typename?: 'UserEdge';
  /** The user. */
  readonly node: User;
  /** Its place, for `after`. */
  readonly cursor: Scalars['String']['output'];
};

/** One page of exchanges. */
export type ExchangeConnection = {
  readonly __typename?: 'ExchangeConnection';
  /** The exchanges of the page, in order. */
  readonly nodes: ReadonlyArray<Exchange>;
  /** The exchanges of the page, each with its cursor. */
  readonly edges: ReadonlyArray<ExchangeEdge>;
  /** Where the page lies. */
  readonly pageInfo: PageInfo;
  /** How many exchanges the whole list has: those that pass the filter, over all pages. */
  readonly totalCount: Scalars['Int']['output'];
};

/** An exchange and its place in the list. */
export type ExchangeEdge = {
  readonly __typename?: 'ExchangeEdge';
  /** The exchange. */
  readonly node: Exchange;
  /** Its place, for `after`. */
  readonly cursor: Scalars['String']['output'];
};

/** One page of containers. */
export type ContainerConnection = {
  readonly __typename?: 'ContainerConnection';
  /** The containers of the page, in order. */
  readonly nodes: ReadonlyArray<Container>;
  /** The containers of the page, each with its cursor. */
  readonly edges: ReadonlyArray<ContainerEdge>;
  /** Where the page lies. */
  readonly pageInfo: PageInfo;
  /** How many containers the whole list has: those that pass the filter, over all pages. */
  readonly totalCount: Scalars['Int']['output'];
};

/** A container and its place in the list. */
export type ContainerEdge = {
  readonly __typename?: 'ContainerEdge';
  /** The container. */
  readonly node: Container;
  /** Its place, for `after`. */
  readonly cursor: Scalars['String']['output'];
};

/**
 * A thread group from fork to exit. Its identity is host, boot, pid and start time: a pid that is used again is another
 * process. An exec keeps the identity and changes the image.
 */
export type Process = Node & {
  readonly __typename?: 'Process';
  /** Opaque id. */
  readonly id: Scalars['ID']['output'];
  /** The host it runs on. */
  readonly host: Host;
  /** Process id in the host's pid namespace. */
  readonly pid: Scalars['Int']['output'];
  /** Name (comm), at most 15 bytes in the kernel; what is not printable is escaped. */
  readonly name: Scalars['String']['output'];
  /** Path of the executable; null for kernel threads and when it could not be read. */
  readonly executable: Maybe<Scalars['String']['output']>;
  /** Arguments joined by blanks, as ps(1) shows them (`arguments` has them apart); null when unknown, and without the scope `cmdline:read`. */
  readonly commandLine: Maybe<Scalars['String']['output']>;
  /** Arguments, from the program's own name on; null when unknown, and without the scope `cmdline:read`. */
  readonly arguments: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** The arguments were longer than what the agent keeps (4 KiB), and end early. */
  readonly argumentsTruncated: Scalars['Boolean']['output'];
  /** Owner (real uid). */
  readonly user: User;
  /** Group id; null when unknown. */
  readonly gid: Maybe<Scalars['Long']['output']>;
  /** The process that forked it, or that adopted it when the agent came later; null for the first and when unknown. */
  readonly parent: Maybe<Process>;
  /** Processes it forked that are remembered. */
  readonly children: ProcessConnection;
  /** Path in the cgroup v2 hierarchy; null when unknown. */
  readonly cgroup: Maybe<Scalars['String']['output']>;
  /** Container, as far as the cgroup path tells; null outside containers. */
  readonly container: Maybe<Container>;
  /** systemd unit, as far as the cgroup path tells; null outside units. */
  readonly unit: Maybe<Scalars['String']['output']>;
  /** Start (fork). */
  readonly startTime: Scalars['DateTime']['output'];
  /** Exit; null while it lives. */
  readonly endTime: Maybe<Scalars['DateTime']['output']>;
  /** Exit code, 0 to 255; null while it lives, when a signal ended it, and when unknown. */
  readonly exitCode: Maybe<Scalars['Int']['output']>;
  /** Name of the signal that ended it, for instance SIGKILL; null when none did. */
  readonly exitSignal: Maybe<Scalars['String']['output']>;
  /** It is older than the agent. */
  readonly startedBefore: Scalars['Boolean']['output'];
  /** The program images it ran, oldest first. */
  readonly images: ReadonlyArray<Image>;
  /** What it spent from its start to its exit, or to the latest sample; null before the first sample. */
  readonly usage: Maybe<Usage>;
  /** What it spent between the two latest samples; null before there were two, and after its exit. */
  readonly currentUsage: Maybe<Usage>;
  /** What it moved over the network. */
  readonly network: NetworkUsage;
  /** What it spent and moved over time, from the series that are kept in memory. */
  readonly series: TimeSeries;
  /** Flows it moved bytes on, made or holds: live ones and those that ended a short while ago. */
  readonly flows: FlowConnection;
};


/**
 * A thread group from fork to exit. Its identity is host, boot, pid and start time: a pid that is used again is another
 * process. An exec keeps the identity and changes the image.
 */
export type ProcessChildrenArgs = {
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


/**
 * A thread group from fork to exit. Its identity is host, boot, pid and start time: a pid that is used again is another
 * process. An exec keeps the identity and changes the image.
 */
export type ProcessSeriesArgs = {
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  stepMs: InputMaybe<Scalars['Int']['input']>;
};


/**
 * A thread group from fork to exit. Its identity is host, boot, pid and start time: a pid that is used again is another
 * process. An exec keeps the identity and changes the image.
 */
export type ProcessFlowsArgs = {
  where: InputMaybe<FlowFilter>;
  orderBy: InputMaybe<FlowOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};

/** A program image that a process ran: one per exec. */
export type Image = {
  readonly __typename?: 'Image';
  /** Name (comm) under that image. */
  readonly name: Scalars['String']['output'];
  /** Path of the executable; null when it could not be read. */
  readonly executable: Maybe<Scalars['String']['output']>;
  /** Arguments; null when unknown, and without the scope `cmdline:read`. */
  readonly arguments: Maybe<ReadonlyArray<Scalars['String']['output']>>;
  /** The arguments end early. */
  readonly argumentsTruncated: Scalars['Boolean']['output'];
  /** When it was exec'ed; for the first image of a process older than the agent, the start of the process. */
  readonly startTime: Scalars['DateTime']['output'];
};

/** A container, as far as a cgroup path tells. */
export type Container = {
  readonly __typename?: 'Container';
  /** Full id as in the cgroup path, 64 hex digits for most runtimes. */
  readonly id: Scalars['String']['output'];
  /** docker, containerd, cri-o, podman, lxc or systemd-nspawn; null when the path does not tell. */
  readonly runtime: Maybe<Scalars['String']['output']>;
  /** Kubernetes pod UID; null outside pods. */
  readonly podUid: Maybe<Scalars['String']['output']>;
  /** What its processes spent together since the agent has known of it, also those that lived shorter than a sampling interval. `peakMemoryBytes` is the highest sum at a sample. Null before the first sample. */
  readonly usage: Maybe<Usage>;
  /** What its processes spent together between the two latest samples; null before there were two. */
  readonly currentUsage: Maybe<Usage>;
  /** What its processes moved over the network. */
  readonly network: NetworkUsage;
  /** What it spent and moved over time, from the series that are kept in memory. */
  readonly series: TimeSeries;
};


/** A container, as far as a cgroup path tells. */
export type ContainerSeriesArgs = {
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  stepMs: InputMaybe<Scalars['Int']['input']>;
};

export type Query = {
  readonly __typename?: 'Query';
  /** This agent's host, with capture source, tiers, losses and the agent's own cost. */
  readonly host: Host;
  /** All hosts this agent knows: one. */
  readonly hosts: ReadonlyArray<Host>;
  /** Flows: live ones, and those that ended a short while ago. */
  readonly flows: FlowConnection;
  /** A flow by id; null when there is none, or none any more. */
  readonly flow: Maybe<Flow>;
  /** Sums of flows by group, the largest first. */
  readonly flowTotals: ReadonlyArray<FlowTotal>;
  /** Processes: those that live, and those that exited a short while ago. */
  readonly processes: ProcessConnection;
  /** A process by id; null when there is none, or none any more. */
  readonly process: Maybe<Process>;
  /** Exchanges: those that last, and those that ended a short while ago. */
  readonly exchanges: ExchangeConnection;
  /** An exchange by id; null when there is none, or none any more. */
  readonly exchange: Maybe<Exchange>;
  /** Users that own a remembered process. */
  readonly users: UserConnection;
  /** A user by uid or by name; null when no process of that user is remembered. */
  readonly user: Maybe<User>;
  /** Containers that a remembered process is in. */
  readonly containers: ContainerConnection;
  /** A container by its id; null when no process in it is remembered. */
  readonly container: Maybe<Container>;
  /** What processes, executables, users, containers or the host spent and moved over time, from the series that are kept in memory. */
  readonly series: SeriesList;
  /** Where this agent exports flows to, and how that goes. */
  readonly exporters: ReadonlyArray<Exporter>;
  /** Anything by id; null when there is none, or none any more. */
  readonly node: Maybe<Node>;
  /** Things by id, in the order asked for, null where there is none. */
  readonly nodes: ReadonlyArray<Maybe<Node>>;
};


export type QueryFlowsArgs = {
  where: InputMaybe<FlowFilter>;
  except: InputMaybe<FlowFilter>;
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  orderBy: InputMaybe<FlowOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


export type QueryFlowArgs = {
  id: Scalars['ID']['input'];
};


export type QueryFlowTotalsArgs = {
  groupBy: ReadonlyArray<FlowDimension>;
  where: InputMaybe<FlowFilter>;
  except: InputMaybe<FlowFilter>;
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  orderBy?: InputMaybe<FlowMeasure>;
  first?: InputMaybe<Scalars['Int']['input']>;
};


export type QueryProcessesArgs = {
  where: InputMaybe<ProcessFilter>;
  except: InputMaybe<ProcessFilter>;
  at: InputMaybe<Scalars['DateTime']['input']>;
  orderBy: InputMaybe<ProcessOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


export type QueryProcessArgs = {
  id: Scalars['ID']['input'];
};


export type QueryExchangesArgs = {
  where: InputMaybe<ExchangeFilter>;
  except: InputMaybe<ExchangeFilter>;
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  orderBy: InputMaybe<ExchangeOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


export type QueryExchangeArgs = {
  id: Scalars['ID']['input'];
};


export type QueryUsersArgs = {
  where: InputMaybe<UserFilter>;
  except: InputMaybe<UserFilter>;
  orderBy: InputMaybe<UserOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


export type QueryUserArgs = {
  uid: InputMaybe<Scalars['Int']['input']>;
  name: InputMaybe<Scalars['String']['input']>;
};


export type QueryContainersArgs = {
  where: InputMaybe<ContainerFilter>;
  except: InputMaybe<ContainerFilter>;
  orderBy: InputMaybe<ContainerOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


export type QueryContainerArgs = {
  id: Scalars['String']['input'];
};


export type QuerySeriesArgs = {
  groupBy?: SeriesDimension;
  where: InputMaybe<ProcessFilter>;
  except: InputMaybe<ProcessFilter>;
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  stepMs: InputMaybe<Scalars['Int']['input']>;
  orderBy?: SeriesMeasure;
  first?: InputMaybe<Scalars['Int']['input']>;
};


export type QueryNodeArgs = {
  id: Scalars['ID']['input'];
};


export type QueryNodesArgs = {
  ids: ReadonlyArray<Scalars['ID']['input']>;
};

/** An object that can be found again by its id alone. */
export type Node = {
  /** Opaque id, the same over restarts of the agent and unique across hosts. */
  readonly id: Scalars['ID']['output'];
};

export type OrderDirection =
  /** Smallest, earliest or alphabetically first at the top. What is unknown comes last. */
  | 'ASC'
  /** Largest, latest or alphabetically last at the top. What is unknown comes last. */
  | 'DESC';

/** What series can be made of. */
export type SeriesDimension =
  /** Each process. */
  | 'PROCESS'
  /** All processes of an executable, by its path. */
  | 'EXECUTABLE'
  /** All processes of a user. */
  | 'USER'
  /** All processes in a container. */
  | 'CONTAINER'
  /** All processes of the host. */
  | 'HOST';

/** What series can be ordered by: loads and levels by their average over the known steps, amounts by their sum. */
export type SeriesMeasure =
  /** CPU time, in percent of one CPU. */
  | 'CPU_LOAD'
  /** CPU time in user mode. */
  | 'USER_LOAD'
  /** CPU time in the kernel. */
  | 'SYSTEM_LOAD'
  /** Resident memory. */
  | 'MEMORY'
  /** Page faults without I/O. */
  | 'MINOR_FAULTS'
  /** Page faults with I/O. */
  | 'MAJOR_FAULTS'
  /** Waiting for block I/O. */
  | 'IO_WAIT'
  /** Bytes fetched from storage. */
  | 'READ_BYTES'
  /** Bytes sent to storage. */
  | 'WRITTEN_BYTES'
  /** Switches by waiting. */
  | 'VOLUNTARY_SWITCHES'
  /** Switches because time was up. */
  | 'INVOLUNTARY_SWITCHES'
  /** Octets sent. */
  | 'SENT_OCTETS'
  /** Octets received. */
  | 'RECEIVED_OCTETS'
  /** Packets sent. */
  | 'SENT_PACKETS'
  /** Packets received. */
  | 'RECEIVED_PACKETS'
  /** Ends of live flows. */
  | 'CONNECTIONS';

/** Several series over the same steps. */
export type SeriesList = {
  readonly __typename?: 'SeriesList';
  /** Beginning of the first step. */
  readonly from: Scalars['DateTime']['output'];
  /** End of the last step. */
  readonly to: Scalars['DateTime']['output'];
  /** Length of a step in milliseconds: what was asked for, or the next longer one that there is. */
  readonly stepMs: Scalars['Long']['output'];
  /** When each step begins. Steps are aligned: their times are whole multiples of their length. */
  readonly timestamps: ReadonlyArray<Scalars['DateTime']['output']>;
  /** The series, largest first. */
  readonly series: ReadonlyArray<Series>;
};

/** One series of a list. */
export type Series = {
  readonly __typename?: 'Series';
  /** The process; null unless grouped by PROCESS. */
  readonly process: Maybe<Process>;
  /** Path of the executable; null unless grouped by EXECUTABLE. */
  readonly executable: Maybe<Scalars['String']['output']>;
  /** The user; null unless grouped by USER. */
  readonly user: Maybe<User>;
  /** The container; null unless grouped by CONTAINER. */
  readonly container: Maybe<Container>;
  /** Name of the host; null unless grouped by HOST. */
  readonly host: Maybe<Scalars['String']['output']>;
  /** What it spent and moved, step by step. */
  readonly values: SeriesValues;
};

/** What one thing spent and moved over time. */
export type TimeSeries = {
  readonly __typename?: 'TimeSeries';
  /** Beginning of the first step. */
  readonly from: Scalars['DateTime']['output'];
  /** End of the last step. */
  readonly to: Scalars['DateTime']['output'];
  /** Length of a step in milliseconds: what was asked for, or the next longer one that there is. */
  readonly stepMs: Scalars['Long']['output'];
  /** When each step begins. Steps are aligned: their times are whole multiples of their length. */
  readonly timestamps: ReadonlyArray<Scalars['DateTime']['output']>;
  /** What was spent and moved, step by step. */
  readonly values: SeriesValues;
};

/**
 * A value for each step. Amounts are what belongs into the step, by time between the two readings around it. Null where nothing
 * is known: before the start, after the exit, when no sample was made in time, and beyond what memory keeps. A step of which only
 * a part is known has that part.
 */
export type SeriesValues = {
  readonly __typename?: 'SeriesValues';
  /** CPU time, in percent of one CPU. */
  readonly cpuLoadPercent: ReadonlyArray<Maybe<Scalars['Float']['output']>>;
  /** The part of it in user mode. */
  readonly userLoadPercent: ReadonlyArray<Maybe<Scalars['Float']['output']>>;
  /** The part of it in the kernel. */
  readonly systemLoadPercent: ReadonlyArray<Maybe<Scalars['Float']['output']>>;
  /** Resident memory at the end of the step, in bytes; in steps of several samples the highest of them. */
  readonly memoryBytes: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Page faults that needed no I/O. */
  readonly minorFaults: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Page faults that had to read from storage. */
  readonly majorFaults: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Time of waiting for block I/O, in percent; with several threads it may pass 100. */
  readonly ioWaitPercent: ReadonlyArray<Maybe<Scalars['Float']['output']>>;
  /** Bytes fetched from storage. */
  readonly readBytes: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Bytes sent to storage, or due to be. */
  readonly writtenBytes: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Context switches because a thread waited for something. */
  readonly voluntarySwitches: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Context switches because a thread's time was up. */
  readonly involuntarySwitches: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Octets sent at the IP layer. */
  readonly sentOctets: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Octets received at the IP layer. */
  readonly receivedOctets: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** IP packets sent. */
  readonly sentPackets: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** IP packets received. */
  readonly receivedPackets: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
  /** Ends of live flows at the end of the step; of a host, live flows. In longer steps the highest number. */
  readonly connections: ReadonlyArray<Maybe<Scalars['Long']['output']>>;
};

export type Subscription = {
  readonly __typename?: 'Subscription';
  /**
   * Flows as they start, change and end, in lists of what happened in a window.
   *
   * A filter is tested when the event happens. A flow that starts before it is known whose it is, or which container it is in,
   * is tested again for five seconds as that becomes known, and its STARTED comes when it first passes. Each event shows the
   * flow as it is at the end of the window.
   */
  readonly flowEvents: FlowEvents;
  /**
   * Processes as they start (fork), change their image (exec) and exit, in lists of what happened in a window.
   *
   * A fork has its parent's name and command line until it execs: a STARTED is tested against the filter again for five
   * seconds as the process changes, and comes when it first passes.
   */
  readonly processEvents: ProcessEvents;
  /**
   * Exchanges as they start (the request has come) and end, in lists of what happened in a window. Each event shows the
   * exchange as it is at the end of the window.
   */
  readonly exchangeEvents: ExchangeEvents;
  /** What processes spend, at each sample of theirs or less often: lists of samples, soon after the kernel was read. */
  readonly samples: Samples;
};


export type SubscriptionFlowEventsArgs = {
  where: InputMaybe<FlowFilter>;
  except: InputMaybe<FlowFilter>;
  events?: InputMaybe<ReadonlyArray<FlowEventKind>>;
  windowMs?: InputMaybe<Scalars['Int']['input']>;
};


export type SubscriptionProcessEventsArgs = {
  where: InputMaybe<ProcessFilter>;
  except: InputMaybe<ProcessFilter>;
  events?: InputMaybe<ReadonlyArray<ProcessEventKind>>;
  windowMs?: InputMaybe<Scalars['Int']['input']>;
};


export type SubscriptionExchangeEventsArgs = {
  where: InputMaybe<ExchangeFilter>;
  except: InputMaybe<ExchangeFilter>;
  events?: InputMaybe<ReadonlyArray<ExchangeEventKind>>;
  windowMs?: InputMaybe<Scalars['Int']['input']>;
};


export type SubscriptionSamplesArgs = {
  where: InputMaybe<ProcessFilter>;
  except: InputMaybe<ProcessFilter>;
  intervalMs: InputMaybe<Scalars['Int']['input']>;
};

/** Samples that were made together. */
export type Samples = {
  readonly __typename?: 'Samples';
  /** One for each process. */
  readonly samples: ReadonlyArray<Sample>;
  /** Samples lost before these, because they came faster than they were read. */
  readonly dropped: Scalars['Long']['output'];
};

/** What a process spent and moved since its sample before. */
export type Sample = {
  readonly __typename?: 'Sample';
  /** The process. */
  readonly process: Process;
  /** What it spent. */
  readonly usage: Usage;
  /** What it moved over the network meanwhile, and its connections now. */
  readonly network: NetworkUsage;
};

/** What happened to flows in one window. */
export type FlowEvents = {
  readonly __typename?: 'FlowEvents';
  /** The events, in the order in which they happened. */
  readonly events: ReadonlyArray<FlowEvent>;
  /** Events lost before these, because they came faster than they were read. */
  readonly dropped: Scalars['Long']['output'];
};

/** One thing that happened to a flow. */
export type FlowEvent = {
  readonly __typename?: 'FlowEvent';
  /** What happened. */
  readonly kind: FlowEventKind;
  /** The flow. */
  readonly flow: Flow;
};

export type FlowEventKind =
  /** It began, or it began to pass the filter shortly after. */
  | 'STARTED'
  /** Its counters, state or processes changed; at most one a window for each flow. */
  | 'UPDATED'
  /** It ended. */
  | 'ENDED';

/** What happened to processes in one window. */
export type ProcessEvents = {
  readonly __typename?: 'ProcessEvents';
  /** The events, in the order in which they happened. */
  readonly events: ReadonlyArray<ProcessEvent>;
  /** Events lost before these, because they came faster than they were read. */
  readonly dropped: Scalars['Long']['output'];
};

/** One thing that happened to a process. */
export type ProcessEvent = {
  readonly __typename?: 'ProcessEvent';
  /** What happened. */
  readonly kind: ProcessEventKind;
  /** The process. */
  readonly process: Process;
};

export type ProcessEventKind =
  /** It was forked, or it began to pass the filter shortly after. */
  | 'STARTED'
  /** It changed its image (exec). */
  | 'EXECUTED'
  /** It exited. */
  | 'EXITED';

/** What happened to exchanges in one window. */
export type ExchangeEvents = {
  readonly __typename?: 'ExchangeEvents';
  /** The events, in the order in which they happened. */
  readonly events: ReadonlyArray<ExchangeEvent>;
  /** Events lost before these, because they came faster than they were read. */
  readonly dropped: Scalars['Long']['output'];
};

/** One thing that happened to an exchange. */
export type ExchangeEvent = {
  readonly __typename?: 'ExchangeEvent';
  /** What happened. */
  readonly kind: ExchangeEventKind;
  /** The exchange. */
  readonly exchange: Exchange;
};

export type ExchangeEventKind =
  /** The request has come, or it began to pass the filter shortly after. */
  | 'STARTED'
  /** It is over. */
  | 'ENDED';

/**
 * What to group flows by. Some dimensions belong to the flow (PORT, PROTOCOL, APPLICATION, DIRECTION, STATE, END_REASON,
 * HOST), the others to one of its ends.
 */
export type FlowDimension =
  /** Process, by identity. */
  | 'PROCESS'
  /** Name (comm) of the process. */
  | 'PROCESS_NAME'
  /** Path of the process's executable. */
  | 'EXECUTABLE'
  /** Owner of the process. */
  | 'USER'
  /** Container of the process. */
  | 'CONTAINER'
  /** systemd unit of the process. */
  | 'UNIT'
  /** Address of the near end. */
  | 'LOCAL_ADDRESS'
  /** Address of the far end. */
  | 'REMOTE_ADDRESS'
  /** Network of the far end: /24 of IPv4, /48 of IPv6. */
  | 'REMOTE_PREFIX'
  /** Port of the server. */
  | 'PORT'
  /** Protocol. */
  | 'PROTOCOL'
  /** Name of the application. */
  | 'APPLICATION'
  /** Direction. */
  | 'DIRECTION'
  /** State. */
  | 'STATE'
  /** Why it ended; null for flows that last. */
  | 'END_REASON'
  /** Host. */
  | 'HOST';

export type FlowMeasure =
  /** Number of flows. */
  | 'FLOWS'
  /** Octets of both directions. */
  | 'OCTETS'
  /** Packets of both directions. */
  | 'PACKETS'
  /** Payload bytes of both directions. */
  | 'PAYLOAD_BYTES'
  /** Octets sent by the near end. */
  | 'SENT_OCTETS'
  /** Octets received by the near end. */
  | 'RECEIVED_OCTETS'
  /** Payload bytes sent by the near end. */
  | 'SENT_PAYLOAD_BYTES'
  /** Payload bytes received by the near end. */
  | 'RECEIVED_PAYLOAD_BYTES'
  /** Retransmitted packets of both directions. */
  | 'RETRANSMITTED_PACKETS'
  /** CPU time of the processes, since their start. */
  | 'CPU_TIME'
  /** CPU time between the two latest samples of the processes, in percent of one CPU. */
  | 'CPU_LOAD'
  /** Resident memory of the processes at the latest sample. */
  | 'MEMORY'
  /** Page faults without I/O of the processes, since their start. */
  | 'MINOR_FAULTS'
  /** Page faults with I/O of the processes, since their start. */
  | 'MAJOR_FAULTS'
  /** Time of waiting for block I/O of the processes, since their start. */
  | 'IO_WAIT'
  /** Bytes fetched from storage of the processes, since their start. */
  | 'READ_BYTES'
  /** Bytes sent to storage of the processes, since their start. */
  | 'WRITTEN_BYTES'
  /** Switches by waiting of the processes, since their start. */
  | 'VOLUNTARY_SWITCHES'
  /** Switches because time was up, of the processes, since their start. */
  | 'INVOLUNTARY_SWITCHES';

/**
 * Sums over the flows of one group.
 *
 * When flows are grouped by anything that belongs to an end, each local end of a flow counts in its own group: it sent what it
 * sent and received what the other end sent; so a flow between two local processes counts once for each of them. When both
 * ends fall into one group, the flow counts there once in `flows`, `octets`, `packets` and `payloadBytes`, while `sent` and
 * `received` hold both ends' views. When flows are grouped only by what belongs to the flow, the near end is the local one, or
 * the client when both or neither are local.
 *
 * When several processes moved bytes on one end, each has the payload that it moved, exactly; octets, packets and retransmits
 * are counted by socket, so they are divided in proportion to that payload.
 */
export type FlowTotal = {
  readonly __typename?: 'FlowTotal';
  /** The group: one entry for each dimension, in the order of `groupBy`. */
  readonly keys: ReadonlyArray<FlowTotalKey>;
  /** The process; null unless grouped by PROCESS, and when unknown. */
  readonly process: Maybe<Process>;
  /** Name of the process; null unless grouped by PROCESS_NAME, and when unknown. */
  readonly processName: Maybe<Scalars['String']['output']>;
  /** Executable of the process; null unless grouped by EXECUTABLE, and when unknown. */
  readonly executable: Maybe<Scalars['String']['output']>;
  /** The user; null unless grouped by USER, and when unknown. */
  readonly user: Maybe<User>;
  /** The container; null unless grouped by CONTAINER, and outside containers. */
  readonly container: Maybe<Container>;
  /** The systemd unit; null unless grouped by UNIT, and outside units. */
  readonly unit: Maybe<Scalars['String']['output']>;
  /** Address of the near end; null unless grouped by LOCAL_ADDRESS. */
  readonly localAddress: Maybe<Scalars['String']['output']>;
  /** Address of the far end; null unless grouped by REMOTE_ADDRESS. */
  readonly remoteAddress: Maybe<Scalars['String']['output']>;
  /** Network of the far end; null unless grouped by REMOTE_PREFIX, and for what has no IP address. */
  readonly remotePrefix: Maybe<Scalars['String']['output']>;
  /** Port of the server; null unless grouped by PORT, and for protocols without ports. */
  readonly port: Maybe<Scalars['Int']['output']>;
  /** Protocol; null unless grouped by PROTOCOL. */
  readonly protocol: Maybe<Protocol>;
  /** Name of the application; null unless grouped by APPLICATION, and when unknown. */
  readonly application: Maybe<Scalars['String']['output']>;
  /** Direction; null unless grouped by DIRECTION. */
  readonly direction: Maybe<Direction>;
  /** State; null unless grouped by STATE. */
  readonly state: Maybe<FlowState>;
  /** End reason; null unless grouped by END_REASON, and for flows that last. */
  readonly endReason: Maybe<FlowEndReason>;
  /** Name of the host; null unless grouped by HOST. */
  readonly host: Maybe<Scalars['String']['output']>;
  /** Number of flows. */
  readonly flows: Scalars['Long']['output'];
  /** Octets of both directions; null when unknown for every flow of the group. */
  readonly octets: Maybe<Scalars['Long']['output']>;
  /** Packets of both directions; null when unknown for every flow of the group. */
  readonly packets: Maybe<Scalars['Long']['output']>;
  /** Payload bytes of both directions; null when unknown for every flow of the group. */
  readonly payloadBytes: Maybe<Scalars['Long']['output']>;
  /** Retransmitted packets of both directions; null when unknown for every flow of the group. */
  readonly retransmittedPackets: Maybe<Scalars['Long']['output']>;
  /** What the near ends sent. */
  readonly sent: TrafficSum;
  /** What the near ends received, that is what the far ends sent. */
  readonly received: TrafficSum;
  /** What the processes at the near ends have spent, each counted once, since its start. `peakMemoryBytes` is null. Null when nothing is known of any. */
  readonly usage: Maybe<Usage>;
  /** What those of them that live spent between the two latest samples; null when nothing is known of any. */
  readonly currentUsage: Maybe<Usage>;
};

/** The value of one dimension. */
export type FlowTotalKey = {
  readonly __typename?: 'FlowTotalKey';
  /** The dimension. */
  readonly dimension: FlowDimension;
  /** Its value as text: the id of a process, the name of a user; null when unknown or not applicable. */
  readonly value: Maybe<Scalars['String']['output']>;
};

/** Traffic of one direction, summed. What is unknown for some flows is left out of the sum; null when unknown for all. */
export type TrafficSum = {
  readonly __typename?: 'TrafficSum';
  /** Octets at the IP layer. */
  readonly octets: Maybe<Scalars['Long']['output']>;
  /** IP packets. */
  readonly packets: Maybe<Scalars['Long']['output']>;
  /** Payload bytes. */
  readonly payloadBytes: Maybe<Scalars['Long']['output']>;
  /** Retransmitted packets. */
  readonly retransmittedPackets: Maybe<Scalars['Long']['output']>;
};

/** A span of time. */
export type TimeWindow = {
  readonly __typename?: 'TimeWindow';
  /** Its beginning. */
  readonly from: Scalars['DateTime']['output'];
  /** Its end. */
  readonly to: Scalars['DateTime']['output'];
};

/**
 * What was spent in a window: the difference of two readings that the kernel made of all threads, living and dead. What could
 * not be read is null; the reason is in the notes of the flow or exchange.
 */
export type Usage = {
  readonly __typename?: 'Usage';
  /** From one reading to the other, exactly. */
  readonly window: TimeWindow;
  /** Time on a CPU, in milliseconds. */
  readonly cpuTimeMs: Maybe<Scalars['Float']['output']>;
  /** The part of it in user mode: divided as the kernel's ticks fell, as getrusage(2) does. */
  readonly userMs: Maybe<Scalars['Float']['output']>;
  /** The part of it in the kernel. */
  readonly systemMs: Maybe<Scalars['Float']['output']>;
  /** CPU time over the length of the window, in percent of one CPU: 200 is two CPUs all the time. Null for a window without length. */
  readonly averageCpuLoadPercent: Maybe<Scalars['Float']['output']>;
  /** Resident memory at the window's end, in bytes; null for kernel threads, and once the process has exited. */
  readonly memoryBytes: Maybe<Scalars['Long']['output']>;
  /** Highest resident memory in the window, in bytes. While a flow lives, as far as the samples since its start tell. */
  readonly peakMemoryBytes: Maybe<Scalars['Long']['output']>;
  /** Page faults that needed no I/O. */
  readonly minorFaults: Maybe<Scalars['Long']['output']>;
  /** Page faults that had to read from storage. */
  readonly majorFaults: Maybe<Scalars['Long']['output']>;
  /** Time that threads waited for block I/O, in milliseconds; null when the kernel does not account it (kernel.task_delayacct). */
  readonly ioWaitMs: Maybe<Scalars['Float']['output']>;
  /** That time over the length of the window, in percent; with several threads it may pass 100. */
  readonly ioWaitPercent: Maybe<Scalars['Float']['output']>;
  /** Bytes fetched from storage; what came from the page cache is not counted. */
  readonly readBytes: Maybe<Scalars['Long']['output']>;
  /** Bytes sent to storage, or due to be. */
  readonly writtenBytes: Maybe<Scalars['Long']['output']>;
  /** Context switches because a thread waited for something. */
  readonly voluntarySwitches: Maybe<Scalars['Long']['output']>;
  /** Context switches because a thread's time was up. */
  readonly involuntarySwitches: Maybe<Scalars['Long']['output']>;
};

/** What went over the network since the agent's start, and how many connections there are. */
export type NetworkUsage = {
  readonly __typename?: 'NetworkUsage';
  /** Octets sent, at the IP layer. Of a socket that several processes share each has its part by the payload it moved. */
  readonly sentOctets: Scalars['Long']['output'];
  /** Octets received, at the IP layer. */
  readonly receivedOctets: Scalars['Long']['output'];
  /** IP packets sent. */
  readonly sentPackets: Scalars['Long']['output'];
  /** IP packets received. */
  readonly receivedPackets: Scalars['Long']['output'];
  /** Ends of live flows; of a host, live flows. */
  readonly connections: Scalars['Int']['output'];
};

/** An owner of processes, as the host's name service knows it. */
export type User = Node & {
  readonly __typename?: 'User';
  /** Opaque id. */
  readonly id: Scalars['ID']['output'];
  /** User id. */
  readonly uid: Scalars['Long']['output'];
  /** Account name; the number as text when the uid has no account. */
  readonly name: Scalars['String']['output'];
  /** What this user's processes spent together since the agent has known of them, also those that lived shorter than a sampling interval. `peakMemoryBytes` is the highest sum at a sample. Null before the first sample. */
  readonly usage: Maybe<Usage>;
  /** What this user's processes spent together between the two latest samples; null before there were two. */
  readonly currentUsage: Maybe<Usage>;
  /** What this user's processes moved over the network. */
  readonly network: NetworkUsage;
  /** What it spent and moved over time, from the series that are kept in memory. */
  readonly series: TimeSeries;
  /** Processes of this user that are remembered. */
  readonly processes: ProcessConnection;
  /** Flows with a process of this user at either end. */
  readonly flows: FlowConnection;
};


/** An owner of processes, as the host's name service knows it. */
export type UserSeriesArgs = {
  from: InputMaybe<Scalars['DateTime']['input']>;
  to: InputMaybe<Scalars['DateTime']['input']>;
  stepMs: InputMaybe<Scalars['Int']['input']>;
};


/** An owner of processes, as the host's name service knows it. */
export type UserProcessesArgs = {
  where: InputMaybe<ProcessFilter>;
  at: InputMaybe<Scalars['DateTime']['input']>;
  orderBy: InputMaybe<ProcessOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};


/** An owner of processes, as the host's name service knows it. */
export type UserFlowsArgs = {
  where: InputMaybe<FlowFilter>;
  orderBy: InputMaybe<FlowOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after: InputMaybe<Scalars['String']['input']>;
};



export type ResolverTypeWrapper<T> = Promise<T> | T;


export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;




/** Mapping of interface types */
export type ResolversInterfaceTypes<_RefType extends Record<string, unknown>> = {
  Node:
    | ( LiveExchange )
    | ( LiveFlow )
    | ( LiveProcess )
    | ( LiveUser )
  ;
};

/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  Application: ResolverTypeWrapper<LiveApplication>;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  ApplicationConfidence: ApplicationConfidence;
  Endpoint: ResolverTypeWrapper<LiveEndpoint>;
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  Traffic: ResolverTypeWrapper<LiveTraffic>;
  TcpFlag: TcpFlag;
  ProcessShare: ResolverTypeWrapper<LiveProcessShare>;
  Exchange: ResolverTypeWrapper<LiveExchange>;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Float: ResolverTypeWrapper<Scalars['Float']['output']>;
  ExchangeOutcome: ExchangeOutcome;
  Thread: ResolverTypeWrapper<LiveThread>;
  ProcessUsage: ResolverTypeWrapper<LiveProcessUsage>;
  UsageMeasure: UsageMeasure;
  ExchangeNote: ResolverTypeWrapper<LiveExchangeNoteCode>;
  ExchangeNoteCode: ExchangeNoteCode;
  Exporter: ResolverTypeWrapper<ExporterStatus>;
  ExportFormat: ExportFormat;
  ExportTransport: ExportTransport;
  ExporterState: ExporterState;
  StringFilter: StringFilter;
  IntFilter: IntFilter;
  LongFilter: LongFilter;
  FloatFilter: FloatFilter;
  TimeFilter: TimeFilter;
  IpFilter: IpFilter;
  FlowFilter: FlowFilter;
  ProcessFilter: ProcessFilter;
  ExchangeFilter: ExchangeFilter;
  UserFilter: UserFilter;
  ContainerFilter: ContainerFilter;
  FlowOrder: FlowOrder;
  FlowOrderField: FlowOrderField;
  ProcessOrder: ProcessOrder;
  ProcessOrderField: ProcessOrderField;
  ExchangeOrder: ExchangeOrder;
  ExchangeOrderField: ExchangeOrderField;
  UserOrder: UserOrder;
  UserOrderField: UserOrderField;
  ContainerOrder: ContainerOrder;
  ContainerOrderField: ContainerOrderField;
  Flow: ResolverTypeWrapper<LiveFlow>;
  Protocol: Protocol;
  Direction: Direction;
  FlowState: FlowState;
  FlowEndReason: FlowEndReason;
  FlowNote: ResolverTypeWrapper<LiveFlowNoteCode>;
  FlowNoteCode: FlowNoteCode;
  Host: ResolverTypeWrapper<HostView>;
  AgentCapabilities: ResolverTypeWrapper<AgentCapabilities>;
  Tier: ResolverTypeWrapper<HostTier>;
  TierState: TierState;
  DelayAccounting: DelayAccounting;
  Governor: ResolverTypeWrapper<LiveGovernor>;
  Calibration: Calibration;
  ProgramCost: ResolverTypeWrapper<LiveProgramCost>;
  ShedSpan: ResolverTypeWrapper<LiveShedSpan>;
  Loss: ResolverTypeWrapper<Loss>;
  ProgramRuns: ResolverTypeWrapper<ProgramRuns>;
  PageInfo: ResolverTypeWrapper<AnyPage>;
  FlowConnection: ResolverTypeWrapper<FlowPage>;
  FlowEdge: ResolverTypeWrapper<Omit<FlowEdge, 'node'> & { node: ResolversTypes['Flow'] }>;
  ProcessConnection: ResolverTypeWrapper<ProcessPage>;
  ProcessEdge: ResolverTypeWrapper<Omit<ProcessEdge, 'node'> & { node: ResolversTypes['Process'] }>;
  UserConnection: ResolverTypeWrapper<UserPage>;
  UserEdge: ResolverTypeWrapper<Omit<UserEdge, 'node'> & { node: ResolversTypes['User'] }>;
  ExchangeConnection: ResolverTypeWrapper<ExchangePage>;
  ExchangeEdge: ResolverTypeWrapper<Omit<ExchangeEdge, 'node'> & { node: ResolversTypes['Exchange'] }>;
  ContainerConnection: ResolverTypeWrapper<ContainerPage>;
  ContainerEdge: ResolverTypeWrapper<Omit<ContainerEdge, 'node'> & { node: ResolversTypes['Container'] }>;
  Process: ResolverTypeWrapper<LiveProcess>;
  Image: ResolverTypeWrapper<LiveImage>;
  Container: ResolverTypeWrapper<LiveContainer>;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  Long: ResolverTypeWrapper<Scalars['Long']['output']>;
  Node: ResolverTypeWrapper<ResolversInterfaceTypes<ResolversTypes>['Node']>;
  OrderDirection: OrderDirection;
  SeriesDimension: SeriesDimension;
  SeriesMeasure: SeriesMeasure;
  SeriesList: ResolverTypeWrapper<SeriesListView>;
  Series: ResolverTypeWrapper<SeriesRow>;
  TimeSeries: ResolverTypeWrapper<TimeSeriesView>;
  SeriesValues: ResolverTypeWrapper<LiveSeriesValues>;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Samples: ResolverTypeWrapper<SampleList>;
  Sample: ResolverTypeWrapper<LiveSample>;
  FlowEvents: ResolverTypeWrapper<EventList>;
  FlowEvent: ResolverTypeWrapper<FlowEventView>;
  FlowEventKind: FlowEventKind;
  ProcessEvents: ResolverTypeWrapper<EventList>;
  ProcessEvent: ResolverTypeWrapper<ProcessEventView>;
  ProcessEventKind: ProcessEventKind;
  ExchangeEvents: ResolverTypeWrapper<EventList>;
  ExchangeEvent: ResolverTypeWrapper<ExchangeEventView>;
  ExchangeEventKind: ExchangeEventKind;
  FlowDimension: FlowDimension;
  FlowMeasure: FlowMeasure;
  FlowTotal: ResolverTypeWrapper<FlowTotalRow>;
  FlowTotalKey: ResolverTypeWrapper<FlowTotalKey>;
  TrafficSum: ResolverTypeWrapper<TrafficSum>;
  TimeWindow: ResolverTypeWrapper<TimeWindowView>;
  Usage: ResolverTypeWrapper<LiveUsage>;
  NetworkUsage: ResolverTypeWrapper<NetworkUsageView>;
  User: ResolverTypeWrapper<LiveUser>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  Application: LiveApplication;
  String: Scalars['String']['output'];
  Int: Scalars['Int']['output'];
  Endpoint: LiveEndpoint;
  Boolean: Scalars['Boolean']['output'];
  Traffic: LiveTraffic;
  ProcessShare: LiveProcessShare;
  Exchange: LiveExchange;
  ID: Scalars['ID']['output'];
  Float: Scalars['Float']['output'];
  Thread: LiveThread;
  ProcessUsage: LiveProcessUsage;
  ExchangeNote: LiveExchangeNoteCode;
  Exporter: ExporterStatus;
  StringFilter: StringFilter;
  IntFilter: IntFilter;
  LongFilter: LongFilter;
  FloatFilter: FloatFilter;
  TimeFilter: TimeFilter;
  IpFilter: IpFilter;
  FlowFilter: FlowFilter;
  ProcessFilter: ProcessFilter;
  ExchangeFilter: ExchangeFilter;
  UserFilter: UserFilter;
  ContainerFilter: ContainerFilter;
  FlowOrder: FlowOrder;
  ProcessOrder: ProcessOrder;
  ExchangeOrder: ExchangeOrder;
  UserOrder: UserOrder;
  ContainerOrder: ContainerOrder;
  Flow: LiveFlow;
  FlowNote: LiveFlowNoteCode;
  Host: HostView;
  AgentCapabilities: AgentCapabilities;
  Tier: HostTier;
  Governor: LiveGovernor;
  ProgramCost: LiveProgramCost;
  ShedSpan: LiveShedSpan;
  Loss: Loss;
  ProgramRuns: ProgramRuns;
  PageInfo: AnyPage;
  FlowConnection: FlowPage;
  FlowEdge: Omit<FlowEdge, 'node'> & { node: ResolversParentTypes['Flow'] };
  ProcessConnection: ProcessPage;
  ProcessEdge: Omit<ProcessEdge, 'node'> & { node: ResolversParentTypes['Process'] };
  UserConnection: UserPage;
  UserEdge: Omit<UserEdge, 'node'> & { node: ResolversParentTypes['User'] };
  ExchangeConnection: ExchangePage;
  ExchangeEdge: Omit<ExchangeEdge, 'node'> & { node: ResolversParentTypes['Exchange'] };
  ContainerConnection: ContainerPage;
  ContainerEdge: Omit<ContainerEdge, 'node'> & { node: ResolversParentTypes['Container'] };
  Process: LiveProcess;
  Image: LiveImage;
  Container: LiveContainer;
  Query: Record<PropertyKey, never>;
  DateTime: Scalars['DateTime']['output'];
  Long: Scalars['Long']['output'];
  Node: ResolversInterfaceTypes<ResolversParentTypes>['Node'];
  SeriesList: SeriesListView;
  Series: SeriesRow;
  TimeSeries: TimeSeriesView;
  SeriesValues: LiveSeriesValues;
  Subscription: Record<PropertyKey, never>;
  Samples: SampleList;
  Sample: LiveSample;
  FlowEvents: EventList;
  FlowEvent: FlowEventView;
  ProcessEvents: EventList;
  ProcessEvent: ProcessEventView;
  ExchangeEvents: EventList;
  ExchangeEvent: ExchangeEventView;
  FlowTotal: FlowTotalRow;
  FlowTotalKey: FlowTotalKey;
  TrafficSum: TrafficSum;
  TimeWindow: TimeWindowView;
  Usage: LiveUsage;
  NetworkUsage: NetworkUsageView;
  User: LiveUser;
};

export type ApplicationResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Application'] = ResolversParentTypes['Application']> = {
  protocol?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  category?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  confidence?: Resolver<Maybe<ResolversTypes['ApplicationConfidence']>, ParentType, ContextType>;
  serverName?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  alpn?: Resolver<Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  tlsVersion?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  httpHost?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  httpUserAgent?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  dnsQuery?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  dnsReplyCode?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  sshClient?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  sshServer?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type EndpointResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Endpoint'] = ResolversParentTypes['Endpoint']> = {
  address?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  port?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  hostname?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  local?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  process?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  processes?: Resolver<ReadonlyArray<ResolversTypes['ProcessShare']>, ParentType, ContextType>;
  creator?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  user?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType>;
  container?: Resolver<Maybe<ResolversTypes['Container']>, ParentType, ContextType>;
  sent?: Resolver<ResolversTypes['Traffic'], ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
};

export type TrafficResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Traffic'] = ResolversParentTypes['Traffic']> = {
  octets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  packets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  payloadBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  messages?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  retransmittedPackets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  octetsDerived?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  tcpFlags?: Resolver<Maybe<ReadonlyArray<ResolversTypes['TcpFlag']>>, ParentType, ContextType>;
};

export type ProcessShareResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProcessShare'] = ResolversParentTypes['ProcessShare']> = {
  process?: Resolver<ResolversTypes['Process'], ParentType, ContextType>;
  sentPayloadBytes?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  receivedPayloadBytes?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
};

export type ExchangeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Exchange'] = ResolversParentTypes['Exchange']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  host?: Resolver<ResolversTypes['Host'], ParentType, ContextType>;
  flow?: Resolver<ResolversTypes['Flow'], ParentType, ContextType>;
  ordinal?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  protocol?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  method?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  target?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  hostHeader?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  userAgent?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  status?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  outcome?: Resolver<Maybe<ResolversTypes['ExchangeOutcome']>, ParentType, ContextType>;
  startTime?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  requestEndTime?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  firstResponseByteTime?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  endTime?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  durationMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  serverTimeMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  requestBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  responseBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  client?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  server?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  thread?: Resolver<Maybe<ResolversTypes['Thread']>, ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  threadUsage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  concurrentProcesses?: Resolver<ReadonlyArray<ResolversTypes['ProcessUsage']>, ParentType, ContextType, RequireFields<ExchangeConcurrentProcessesArgs, 'first' | 'orderBy'>>;
  notes?: Resolver<ReadonlyArray<ResolversTypes['ExchangeNote']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ThreadResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Thread'] = ResolversParentTypes['Thread']> = {
  tid?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  name?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type ProcessUsageResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProcessUsage'] = ResolversParentTypes['ProcessUsage']> = {
  process?: Resolver<ResolversTypes['Process'], ParentType, ContextType>;
  usage?: Resolver<ResolversTypes['Usage'], ParentType, ContextType>;
};

export type ExchangeNoteResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ExchangeNote'] = ResolversParentTypes['ExchangeNote']> = {
  code?: Resolver<ResolversTypes['ExchangeNoteCode'], ParentType, ContextType>;
  description?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ExporterResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Exporter'] = ResolversParentTypes['Exporter']> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  format?: Resolver<ResolversTypes['ExportFormat'], ParentType, ContextType>;
  transport?: Resolver<ResolversTypes['ExportTransport'], ParentType, ContextType>;
  state?: Resolver<ResolversTypes['ExporterState'], ParentType, ContextType>;
  since?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  sentRecords?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  sentMessages?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  sentOctets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  notSentRecords?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  notSentPackets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  notSentOctets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  queuedBytes?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  templates?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  sessions?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  lastError?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  lastErrorTime?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type FlowResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Flow'] = ResolversParentTypes['Flow']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  communityId?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  host?: Resolver<ResolversTypes['Host'], ParentType, ContextType>;
  protocol?: Resolver<ResolversTypes['Protocol'], ParentType, ContextType>;
  protocolNumber?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  ipVersion?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  direction?: Resolver<ResolversTypes['Direction'], ParentType, ContextType>;
  state?: Resolver<ResolversTypes['FlowState'], ParentType, ContextType>;
  client?: Resolver<ResolversTypes['Endpoint'], ParentType, ContextType>;
  server?: Resolver<ResolversTypes['Endpoint'], ParentType, ContextType>;
  startTime?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  lastTime?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  endTime?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  durationMs?: Resolver<ResolversTypes['Float'], ParentType, ContextType>;
  endReason?: Resolver<Maybe<ResolversTypes['FlowEndReason']>, ParentType, ContextType>;
  startedBefore?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  rttMicros?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  minRttMicros?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  application?: Resolver<Maybe<ResolversTypes['Application']>, ParentType, ContextType>;
  exchanges?: Resolver<ResolversTypes['ExchangeConnection'], ParentType, ContextType, RequireFields<FlowExchangesArgs, 'first'>>;
  notes?: Resolver<ReadonlyArray<ResolversTypes['FlowNote']>, ParentType, ContextType>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type FlowNoteResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowNote'] = ResolversParentTypes['FlowNote']> = {
  code?: Resolver<ResolversTypes['FlowNoteCode'], ParentType, ContextType>;
  description?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type HostResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Host'] = ResolversParentTypes['Host']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  bootId?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  kernel?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  agentVersion?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  agentPid?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  startTime?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  source?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  sourceReason?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  tiers?: Resolver<ReadonlyArray<ResolversTypes['Tier']>, ParentType, ContextType>;
  losses?: Resolver<ReadonlyArray<ResolversTypes['Loss']>, ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  currentUsage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  network?: Resolver<ResolversTypes['NetworkUsage'], ParentType, ContextType>;
  series?: Resolver<ResolversTypes['TimeSeries'], ParentType, ContextType, Partial<HostSeriesArgs>>;
  liveFlows?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  endedFlows?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  liveProcesses?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  flowsStarted?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  flowsEnded?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  liveExchanges?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  endedExchanges?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  exchangesStarted?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  exchangesEnded?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  agentCpuTimeMs?: Resolver<ResolversTypes['Float'], ParentType, ContextType>;
  agentMemoryBytes?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  programRuns?: Resolver<ReadonlyArray<ResolversTypes['ProgramRuns']>, ParentType, ContextType>;
  governor?: Resolver<Maybe<ResolversTypes['Governor']>, ParentType, ContextType>;
  lastPollMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  pollIntervalMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  sampleIntervalMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  delayAccounting?: Resolver<Maybe<ResolversTypes['DelayAccounting']>, ParentType, ContextType>;
  subscribers?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  exporters?: Resolver<ReadonlyArray<ResolversTypes['Exporter']>, ParentType, ContextType>;
  agentCapabilities?: Resolver<ResolversTypes['AgentCapabilities'], ParentType, ContextType>;
};

export type AgentCapabilitiesResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['AgentCapabilities'] = ResolversParentTypes['AgentCapabilities']> = {
  capture?: Resolver<Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  others?: Resolver<ReadonlyArray<ResolversTypes['String']>, ParentType, ContextType>;
};

export type TierResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Tier'] = ResolversParentTypes['Tier']> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  state?: Resolver<ResolversTypes['TierState'], ParentType, ContextType>;
  reason?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  since?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type GovernorResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Governor'] = ResolversParentTypes['Governor']> = {
  budgetPercent?: Resolver<ResolversTypes['Float'], ParentType, ContextType>;
  loadPercent?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  calibration?: Resolver<ResolversTypes['Calibration'], ParentType, ContextType>;
  calibrationReason?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  programs?: Resolver<ReadonlyArray<ResolversTypes['ProgramCost']>, ParentType, ContextType>;
  shedSince?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  shedSpans?: Resolver<ReadonlyArray<ResolversTypes['ShedSpan']>, ParentType, ContextType>;
};

export type ProgramCostResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProgramCost'] = ResolversParentTypes['ProgramCost']> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  runs?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  runsPerSecond?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  costNs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  loadPercent?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
};

export type ShedSpanResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ShedSpan'] = ResolversParentTypes['ShedSpan']> = {
  tier?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  from?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  to?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type LossResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Loss'] = ResolversParentTypes['Loss']> = {
  place?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  count?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
};

export type ProgramRunsResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProgramRuns'] = ResolversParentTypes['ProgramRuns']> = {
  program?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  runs?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
};

export type PageInfoResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['PageInfo'] = ResolversParentTypes['PageInfo']> = {
  hasNextPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  hasPreviousPage?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  endCursor?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type FlowConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowConnection'] = ResolversParentTypes['FlowConnection']> = {
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Flow']>, ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['FlowEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type FlowEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowEdge'] = ResolversParentTypes['FlowEdge']> = {
  node?: Resolver<ResolversTypes['Flow'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ProcessConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProcessConnection'] = ResolversParentTypes['ProcessConnection']> = {
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Process']>, ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['ProcessEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type ProcessEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProcessEdge'] = ResolversParentTypes['ProcessEdge']> = {
  node?: Resolver<ResolversTypes['Process'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type UserConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['UserConnection'] = ResolversParentTypes['UserConnection']> = {
  nodes?: Resolver<ReadonlyArray<ResolversTypes['User']>, ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['UserEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type UserEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['UserEdge'] = ResolversParentTypes['UserEdge']> = {
  node?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ExchangeConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ExchangeConnection'] = ResolversParentTypes['ExchangeConnection']> = {
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Exchange']>, ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['ExchangeEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type ExchangeEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ExchangeEdge'] = ResolversParentTypes['ExchangeEdge']> = {
  node?: Resolver<ResolversTypes['Exchange'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ContainerConnectionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ContainerConnection'] = ResolversParentTypes['ContainerConnection']> = {
  nodes?: Resolver<ReadonlyArray<ResolversTypes['Container']>, ParentType, ContextType>;
  edges?: Resolver<ReadonlyArray<ResolversTypes['ContainerEdge']>, ParentType, ContextType>;
  pageInfo?: Resolver<ResolversTypes['PageInfo'], ParentType, ContextType>;
  totalCount?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type ContainerEdgeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ContainerEdge'] = ResolversParentTypes['ContainerEdge']> = {
  node?: Resolver<ResolversTypes['Container'], ParentType, ContextType>;
  cursor?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type ProcessResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Process'] = ResolversParentTypes['Process']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  host?: Resolver<ResolversTypes['Host'], ParentType, ContextType>;
  pid?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  executable?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  commandLine?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  arguments?: Resolver<Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  argumentsTruncated?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  user?: Resolver<ResolversTypes['User'], ParentType, ContextType>;
  gid?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  parent?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  children?: Resolver<ResolversTypes['ProcessConnection'], ParentType, ContextType, RequireFields<ProcessChildrenArgs, 'first'>>;
  cgroup?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  container?: Resolver<Maybe<ResolversTypes['Container']>, ParentType, ContextType>;
  unit?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  startTime?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  endTime?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
  exitCode?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  exitSignal?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  startedBefore?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  images?: Resolver<ReadonlyArray<ResolversTypes['Image']>, ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  currentUsage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  network?: Resolver<ResolversTypes['NetworkUsage'], ParentType, ContextType>;
  series?: Resolver<ResolversTypes['TimeSeries'], ParentType, ContextType, Partial<ProcessSeriesArgs>>;
  flows?: Resolver<ResolversTypes['FlowConnection'], ParentType, ContextType, RequireFields<ProcessFlowsArgs, 'first'>>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type ImageResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Image'] = ResolversParentTypes['Image']> = {
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  executable?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  arguments?: Resolver<Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
  argumentsTruncated?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  startTime?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type ContainerResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Container'] = ResolversParentTypes['Container']> = {
  id?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  runtime?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  podUid?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  currentUsage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  network?: Resolver<ResolversTypes['NetworkUsage'], ParentType, ContextType>;
  series?: Resolver<ResolversTypes['TimeSeries'], ParentType, ContextType, Partial<ContainerSeriesArgs>>;
};

export type QueryResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  host?: Resolver<ResolversTypes['Host'], ParentType, ContextType>;
  hosts?: Resolver<ReadonlyArray<ResolversTypes['Host']>, ParentType, ContextType>;
  flows?: Resolver<ResolversTypes['FlowConnection'], ParentType, ContextType, RequireFields<QueryFlowsArgs, 'first'>>;
  flow?: Resolver<Maybe<ResolversTypes['Flow']>, ParentType, ContextType, RequireFields<QueryFlowArgs, 'id'>>;
  flowTotals?: Resolver<ReadonlyArray<ResolversTypes['FlowTotal']>, ParentType, ContextType, RequireFields<QueryFlowTotalsArgs, 'groupBy' | 'orderBy' | 'first'>>;
  processes?: Resolver<ResolversTypes['ProcessConnection'], ParentType, ContextType, RequireFields<QueryProcessesArgs, 'first'>>;
  process?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType, RequireFields<QueryProcessArgs, 'id'>>;
  exchanges?: Resolver<ResolversTypes['ExchangeConnection'], ParentType, ContextType, RequireFields<QueryExchangesArgs, 'first'>>;
  exchange?: Resolver<Maybe<ResolversTypes['Exchange']>, ParentType, ContextType, RequireFields<QueryExchangeArgs, 'id'>>;
  users?: Resolver<ResolversTypes['UserConnection'], ParentType, ContextType, RequireFields<QueryUsersArgs, 'first'>>;
  user?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType, Partial<QueryUserArgs>>;
  containers?: Resolver<ResolversTypes['ContainerConnection'], ParentType, ContextType, RequireFields<QueryContainersArgs, 'first'>>;
  container?: Resolver<Maybe<ResolversTypes['Container']>, ParentType, ContextType, RequireFields<QueryContainerArgs, 'id'>>;
  series?: Resolver<ResolversTypes['SeriesList'], ParentType, ContextType, RequireFields<QuerySeriesArgs, 'groupBy' | 'orderBy' | 'first'>>;
  exporters?: Resolver<ReadonlyArray<ResolversTypes['Exporter']>, ParentType, ContextType>;
  node?: Resolver<Maybe<ResolversTypes['Node']>, ParentType, ContextType, RequireFields<QueryNodeArgs, 'id'>>;
  nodes?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Node']>>, ParentType, ContextType, RequireFields<QueryNodesArgs, 'ids'>>;
};

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export interface LongScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['Long'], any> {
  name: 'Long';
}

export type NodeResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Node'] = ResolversParentTypes['Node']> = {
  __resolveType: TypeResolveFn<'Exchange' | 'Flow' | 'Process' | 'User', ParentType, ContextType>;
};

export type SeriesListResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['SeriesList'] = ResolversParentTypes['SeriesList']> = {
  from?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  to?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  stepMs?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  timestamps?: Resolver<ReadonlyArray<ResolversTypes['DateTime']>, ParentType, ContextType>;
  series?: Resolver<ReadonlyArray<ResolversTypes['Series']>, ParentType, ContextType>;
};

export type SeriesResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Series'] = ResolversParentTypes['Series']> = {
  process?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  executable?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  user?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType>;
  container?: Resolver<Maybe<ResolversTypes['Container']>, ParentType, ContextType>;
  host?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  values?: Resolver<ResolversTypes['SeriesValues'], ParentType, ContextType>;
};

export type TimeSeriesResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['TimeSeries'] = ResolversParentTypes['TimeSeries']> = {
  from?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  to?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  stepMs?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  timestamps?: Resolver<ReadonlyArray<ResolversTypes['DateTime']>, ParentType, ContextType>;
  values?: Resolver<ResolversTypes['SeriesValues'], ParentType, ContextType>;
};

export type SeriesValuesResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['SeriesValues'] = ResolversParentTypes['SeriesValues']> = {
  cpuLoadPercent?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Float']>>, ParentType, ContextType>;
  userLoadPercent?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Float']>>, ParentType, ContextType>;
  systemLoadPercent?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Float']>>, ParentType, ContextType>;
  memoryBytes?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  minorFaults?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  majorFaults?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  ioWaitPercent?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Float']>>, ParentType, ContextType>;
  readBytes?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  writtenBytes?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  voluntarySwitches?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  involuntarySwitches?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  sentOctets?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  receivedOctets?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  sentPackets?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  receivedPackets?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
  connections?: Resolver<ReadonlyArray<Maybe<ResolversTypes['Long']>>, ParentType, ContextType>;
};

export type SubscriptionResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  flowEvents?: SubscriptionResolver<ResolversTypes['FlowEvents'], "flowEvents", ParentType, ContextType, RequireFields<SubscriptionFlowEventsArgs, 'events' | 'windowMs'>>;
  processEvents?: SubscriptionResolver<ResolversTypes['ProcessEvents'], "processEvents", ParentType, ContextType, RequireFields<SubscriptionProcessEventsArgs, 'events' | 'windowMs'>>;
  exchangeEvents?: SubscriptionResolver<ResolversTypes['ExchangeEvents'], "exchangeEvents", ParentType, ContextType, RequireFields<SubscriptionExchangeEventsArgs, 'events' | 'windowMs'>>;
  samples?: SubscriptionResolver<ResolversTypes['Samples'], "samples", ParentType, ContextType, Partial<SubscriptionSamplesArgs>>;
};

export type SamplesResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Samples'] = ResolversParentTypes['Samples']> = {
  samples?: Resolver<ReadonlyArray<ResolversTypes['Sample']>, ParentType, ContextType>;
  dropped?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
};

export type SampleResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Sample'] = ResolversParentTypes['Sample']> = {
  process?: Resolver<ResolversTypes['Process'], ParentType, ContextType>;
  usage?: Resolver<ResolversTypes['Usage'], ParentType, ContextType>;
  network?: Resolver<ResolversTypes['NetworkUsage'], ParentType, ContextType>;
};

export type FlowEventsResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowEvents'] = ResolversParentTypes['FlowEvents']> = {
  events?: Resolver<ReadonlyArray<ResolversTypes['FlowEvent']>, ParentType, ContextType>;
  dropped?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
};

export type FlowEventResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowEvent'] = ResolversParentTypes['FlowEvent']> = {
  kind?: Resolver<ResolversTypes['FlowEventKind'], ParentType, ContextType>;
  flow?: Resolver<ResolversTypes['Flow'], ParentType, ContextType>;
};

export type ProcessEventsResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProcessEvents'] = ResolversParentTypes['ProcessEvents']> = {
  events?: Resolver<ReadonlyArray<ResolversTypes['ProcessEvent']>, ParentType, ContextType>;
  dropped?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
};

export type ProcessEventResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ProcessEvent'] = ResolversParentTypes['ProcessEvent']> = {
  kind?: Resolver<ResolversTypes['ProcessEventKind'], ParentType, ContextType>;
  process?: Resolver<ResolversTypes['Process'], ParentType, ContextType>;
};

export type ExchangeEventsResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ExchangeEvents'] = ResolversParentTypes['ExchangeEvents']> = {
  events?: Resolver<ReadonlyArray<ResolversTypes['ExchangeEvent']>, ParentType, ContextType>;
  dropped?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
};

export type ExchangeEventResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['ExchangeEvent'] = ResolversParentTypes['ExchangeEvent']> = {
  kind?: Resolver<ResolversTypes['ExchangeEventKind'], ParentType, ContextType>;
  exchange?: Resolver<ResolversTypes['Exchange'], ParentType, ContextType>;
};

export type FlowTotalResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowTotal'] = ResolversParentTypes['FlowTotal']> = {
  keys?: Resolver<ReadonlyArray<ResolversTypes['FlowTotalKey']>, ParentType, ContextType>;
  process?: Resolver<Maybe<ResolversTypes['Process']>, ParentType, ContextType>;
  processName?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  executable?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  user?: Resolver<Maybe<ResolversTypes['User']>, ParentType, ContextType>;
  container?: Resolver<Maybe<ResolversTypes['Container']>, ParentType, ContextType>;
  unit?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  localAddress?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  remoteAddress?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  remotePrefix?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  port?: Resolver<Maybe<ResolversTypes['Int']>, ParentType, ContextType>;
  protocol?: Resolver<Maybe<ResolversTypes['Protocol']>, ParentType, ContextType>;
  application?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  direction?: Resolver<Maybe<ResolversTypes['Direction']>, ParentType, ContextType>;
  state?: Resolver<Maybe<ResolversTypes['FlowState']>, ParentType, ContextType>;
  endReason?: Resolver<Maybe<ResolversTypes['FlowEndReason']>, ParentType, ContextType>;
  host?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  flows?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  octets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  packets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  payloadBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  retransmittedPackets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  sent?: Resolver<ResolversTypes['TrafficSum'], ParentType, ContextType>;
  received?: Resolver<ResolversTypes['TrafficSum'], ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  currentUsage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
};

export type FlowTotalKeyResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['FlowTotalKey'] = ResolversParentTypes['FlowTotalKey']> = {
  dimension?: Resolver<ResolversTypes['FlowDimension'], ParentType, ContextType>;
  value?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
};

export type TrafficSumResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['TrafficSum'] = ResolversParentTypes['TrafficSum']> = {
  octets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  packets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  payloadBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  retransmittedPackets?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
};

export type TimeWindowResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['TimeWindow'] = ResolversParentTypes['TimeWindow']> = {
  from?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  to?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
};

export type UsageResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['Usage'] = ResolversParentTypes['Usage']> = {
  window?: Resolver<ResolversTypes['TimeWindow'], ParentType, ContextType>;
  cpuTimeMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  userMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  systemMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  averageCpuLoadPercent?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  memoryBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  peakMemoryBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  minorFaults?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  majorFaults?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  ioWaitMs?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  ioWaitPercent?: Resolver<Maybe<ResolversTypes['Float']>, ParentType, ContextType>;
  readBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  writtenBytes?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  voluntarySwitches?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
  involuntarySwitches?: Resolver<Maybe<ResolversTypes['Long']>, ParentType, ContextType>;
};

export type NetworkUsageResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['NetworkUsage'] = ResolversParentTypes['NetworkUsage']> = {
  sentOctets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  receivedOctets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  sentPackets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  receivedPackets?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  connections?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export type UserResolvers<ContextType = RequestContext, ParentType extends ResolversParentTypes['User'] = ResolversParentTypes['User']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  uid?: Resolver<ResolversTypes['Long'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  usage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  currentUsage?: Resolver<Maybe<ResolversTypes['Usage']>, ParentType, ContextType>;
  network?: Resolver<ResolversTypes['NetworkUsage'], ParentType, ContextType>;
  series?: Resolver<ResolversTypes['TimeSeries'], ParentType, ContextType, Partial<UserSeriesArgs>>;
  processes?: Resolver<ResolversTypes['ProcessConnection'], ParentType, ContextType, RequireFields<UserProcessesArgs, 'first'>>;
  flows?: Resolver<ResolversTypes['FlowConnection'], ParentType, ContextType, RequireFields<UserFlowsArgs, 'first'>>;
  __isTypeOf?: IsTypeOfResolverFn<ParentType, ContextType>;
};

export type Resolvers<ContextType = RequestContext> = {
  Application?: ApplicationResolvers<ContextType>;
  Endpoint?: EndpointResolvers<ContextType>;
  Traffic?: TrafficResolvers<ContextType>;
  ProcessShare?: ProcessShareResolvers<ContextType>;
  Exchange?: ExchangeResolvers<ContextType>;
  Thread?: ThreadResolvers<ContextType>;
  ProcessUsage?: ProcessUsageResolvers<ContextType>;
  ExchangeNote?: ExchangeNoteResolvers<ContextType>;
  Exporter?: ExporterResolvers<ContextType>;
  Flow?: FlowResolvers<ContextType>;
  FlowNote?: FlowNoteResolvers<ContextType>;
  Host?: HostResolvers<ContextType>;
  AgentCapabilities?: AgentCapabilitiesResolvers<ContextType>;
  Tier?: TierResolvers<ContextType>;
  Governor?: GovernorResolvers<ContextType>;
  ProgramCost?: ProgramCostResolvers<ContextType>;
  ShedSpan?: ShedSpanResolvers<ContextType>;
  Loss?: LossResolvers<ContextType>;
  ProgramRuns?: ProgramRunsResolvers<ContextType>;
  PageInfo?: PageInfoResolvers<ContextType>;
  FlowConnection?: FlowConnectionResolvers<ContextType>;
  FlowEdge?: FlowEdgeResolvers<ContextType>;
  ProcessConnection?: ProcessConnectionResolvers<ContextType>;
  ProcessEdge?: ProcessEdgeResolvers<ContextType>;
  UserConnection?: UserConnectionResolvers<ContextType>;
  UserEdge?: UserEdgeResolvers<ContextType>;
  ExchangeConnection?: ExchangeConnectionResolvers<ContextType>;
  ExchangeEdge?: ExchangeEdgeResolvers<ContextType>;
  ContainerConnection?: ContainerConnectionResolvers<ContextType>;
  ContainerEdge?: ContainerEdgeResolvers<ContextType>;
  Process?: ProcessResolvers<ContextType>;
  Image?: ImageResolvers<ContextType>;
  Container?: ContainerResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  DateTime?: GraphQLScalarType;
  Long?: GraphQLScalarType;
  Node?: NodeResolvers<ContextType>;
  SeriesList?: SeriesListResolvers<ContextType>;
  Series?: SeriesResolvers<ContextType>;
  TimeSeries?: TimeSeriesResolvers<ContextType>;
  SeriesValues?: SeriesValuesResolvers<ContextType>;
  Subscription?: SubscriptionResolvers<ContextType>;
  Samples?: SamplesResolvers<ContextType>;
  Sample?: SampleResolvers<ContextType>;
  FlowEvents?: FlowEventsResolvers<ContextType>;
  FlowEvent?: FlowEventResolvers<ContextType>;
  ProcessEvents?: ProcessEventsResolvers<ContextType>;
  ProcessEvent?: ProcessEventResolvers<ContextType>;
  ExchangeEvents?: ExchangeEventsResolvers<ContextType>;
  ExchangeEvent?: ExchangeEventResolvers<ContextType>;
  FlowTotal?: FlowTotalResolvers<ContextType>;
  FlowTotalKey?: FlowTotalKeyResolvers<ContextType>;
  TrafficSum?: TrafficSumResolvers<ContextType>;
  TimeWindow?: TimeWindowResolvers<ContextType>;
  Usage?: UsageResolvers<ContextType>;
  NetworkUsage?: NetworkUsageResolvers<ContextType>;
  User?: UserResolvers<ContextType>;
};


