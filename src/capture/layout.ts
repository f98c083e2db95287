/**
 * The layout of a batch: its tables, their columns, what each means.
 *
 * The same tables as native/src/batch_layout.h, in the same order; a test compares the two, the addon's text is compared
 * when it loads, and a recording carries the text it was written with.
 *
 * Times `…Ns` are nanoseconds since boot (CLOCK_BOOTTIME). Counters are cumulative unless it says otherwise. 64-bit
 * kernel counters travel as doubles, exact to 2^53.
 */

/** Raised with every change of the tables below. */
export const LAYOUT_VERSION = 2;

/**
 * `str` is an index into the batch's strings, `UNKNOWN_STRING` when unknown. `addr` is 16 bytes: IPv6 or IPv4-mapped;
 * all zero is unspecified or unknown.
 */
export type ColumnType = 'u8' | 'u16' | 'u32' | 'i32' | 'f64' | 'str' | 'addr';

/** The value of a `str` column whose text is not known. */
export const UNKNOWN_STRING = 0xffffffff;

export const TABLES = {
  /** What became known of processes, in the order of time. */
  process: {
    /** {@link PROCESS_KIND}. */
    kind: 'u8',
    /** 1 when `arguments` was cut at the capture limit. */
    argumentsTruncated: 'u8',
    /** Signal that ended it (`task->exit_code & 0x7f`); 0 when none did. */
    exitSignal: 'u8',
    /** 1 when the totals from `userNs` on are set (exit, and scans with the resources tier). */
    hasTotals: 'u8',
    /** When the event happened, or the scan read it. */
    timeNs: 'f64',
    /** Thread group id in the initial pid namespace (`task->tgid`). */
    pid: 'u32',
    /** Start of the thread group (`group_leader->start_boottime`): with `pid` the identity. */
    startNs: 'f64',
    /** The parent's thread group id (`real_parent->tgid`); 0 when there is none or it is unknown. */
    parentPid: 'u32',
    /** The parent's start. */
    parentStartNs: 'f64',
    /** Effective user id (`cred->euid`). */
    uid: 'u32',
    /** Effective group id. */
    gid: 'u32',
    /** Inode of the cgroup v2 directory; 0 unknown. */
    cgroupId: 'f64',
    /** Path of the cgroup below its hierarchy's root. */
    cgroup: 'str',
    /** `comm`. */
    name: 'str',
    /** Path of the executable file. */
    executable: 'str',
    /** argv joined by NUL. */
    arguments: 'str',
    /** Exit status 0–255 on exit. */
    exitCode: 'i32',
    /** CPU time in user mode, in ns. */
    userNs: 'f64',
    /** CPU time in the kernel, in ns. */
    systemNs: 'f64',
    /** Highest resident memory in bytes. */
    peakMemoryBytes: 'f64',
    /** Page faults without I/O. */
    minorFaults: 'f64',
    /** Page faults with I/O. */
    majorFaults: 'f64',
    /** Bytes read from storage. */
    readBytes: 'f64',
    /** Bytes written to storage. */
    writtenBytes: 'f64',
  },
  /** The absolute state of sockets, one row whenever it was read. */
  socket: {
    /** {@link SOCKET_KIND}. */
    kind: 'u8',
    /** Address family: 2 AF_INET, 10 AF_INET6, 17 AF_PACKET. */
    family: 'u8',
    /** 1 SOCK_STREAM, 2 SOCK_DGRAM, 3 SOCK_RAW. */
    type: 'u8',
    /** TCP state (include/net/tcp_states.h); for other protocols 1 connected, 7 not. */
    state: 'u8',
    /** TCP state before the end. */
    fromState: 'u8',
    /** IANA protocol number; 0 for AF_PACKET. */
    protocol: 'u16',
    /** `sk_err` at the end, an errno; 0 none. */
    error: 'u16',
    /** {@link SOCKET_FLAG}. */
    flags: 'u32',
    /** When the row was read. */
    timeNs: 'f64',
    /**
     * The identity of a connection's end, never used twice in one boot: the socket's cookie, or, when the same socket
     * connected before, a number above 2^52 that is made of the cookie and how often it did.
     */
    cookie: 'f64',
    /** Inode of the network namespace. */
    netns: 'f64',
    /** Interface the socket is bound to; 0 any. */
    interfaceIndex: 'u32',
    /** Local address; all zero when bound to none. */
    localAddress: 'addr',
    /** Local port in host order; 0 none. */
    localPort: 'u16',
    /** Peer of a connected socket; all zero when not connected. */
    remoteAddress: 'addr',
    /** Port of the peer; 0 none. */
    remotePort: 'u16',
    /** When it opened: connect, accept or the first message; 0 unknown. */
    firstNs: 'f64',
    /** Last packet; 0 unknown. */
    lastNs: 'f64',
    /** Caller of socket(2); 0 unknown. */
    creatorPid: 'u32',
    creatorStartNs: 'f64',
    /** Caller of connect(2); 0 unknown or passive. */
    openerPid: 'u32',
    openerStartNs: 'f64',
    /** Last process that moved bytes; 0 unknown. */
    moverPid: 'u32',
    moverStartNs: 'f64',
    /** `current` at the last close; 0 unknown. */
    closerPid: 'u32',
    closerStartNs: 'f64',
    /** A process that has a descriptor of it, found by a scan; 0 unknown. */
    holderPid: 'u32',
    holderStartNs: 'f64',
    /** Owner of the socket's inode (`sk_uid`). */
    uid: 'u32',
    /** TCP: payload bytes sent, retransmits included (`bytes_sent`). */
    bytesSent: 'f64',
    /** TCP: payload bytes sent again (`bytes_retrans`). */
    bytesRetransmitted: 'f64',
    /** TCP: payload bytes that arrived in order (`bytes_received` without the FIN's one). */
    bytesReceived: 'f64',
    /** TCP: written by the application and not sent yet. */
    unsentBytes: 'f64',
    /** TCP: arrived and not read by the application yet. */
    unreadBytes: 'f64',
    /** TCP: segments sent (`segs_out`). */
    segmentsOut: 'f64',
    /** TCP: segments that arrived (`segs_in`). */
    segmentsIn: 'f64',
    /** TCP: segments with payload sent. */
    dataSegmentsOut: 'f64',
    /** TCP: segments with payload that arrived. */
    dataSegmentsIn: 'f64',
    /** TCP: segments sent again (`total_retrans`). */
    retransmits: 'f64',
    /** TCP: smoothed round trip (`srtt_us >> 3`); 0 unknown. */
    rttUs: 'u32',
    /** TCP: lowest round trip in the kernel's window; 0 or all ones unknown. */
    minRttUs: 'u32',
    /** TCP: header with options of a data segment (`tcp_header_len`). */
    headerBytes: 'u16',
    /**
     * TCP flags of all packets sent, as in byte 13 of the header; set when `tcpFlags` is among the flags. Of the
     * handshake of an accepted connection, which the kernel shows at its listener, SYN and ACK are known, and ECE and CWR
     * when ECN was agreed on.
     */
    sentTcpFlags: 'u8',
    /** TCP flags of all packets that arrived. */
    receivedTcpFlags: 'u8',
  },
  /** What one process moved on one socket with one peer; absolute, since the socket's or the agent's start. */
  traffic: {
    /** {@link TRAFFIC_FLAG}. */
    flags: 'u32',
    /** When the row was read. */
    timeNs: 'f64',
    cookie: 'f64',
    /** The process that moved the bytes; 0 unknown. */
    pid: 'u32',
    startNs: 'f64',
    uid: 'u32',
    /** Source address the route chooses, when the socket is bound to a wildcard; all zero unknown. */
    localAddress: 'addr',
    /** The peer; all zero for connected sockets, whose peer is in the socket's row. */
    peerAddress: 'addr',
    peerPort: 'u16',
    /** First message of this process with this peer. */
    firstNs: 'f64',
    /** Last message. */
    lastNs: 'f64',
    /** Payload bytes the process handed to the socket. */
    sentBytes: 'f64',
    /** Send calls. */
    sentMessages: 'f64',
    /** IP octets sent; 0 for TCP, whose octets are in the socket's row. */
    sentOctets: 'f64',
    /** IP packets sent, fragments counted. */
    sentPackets: 'f64',
    /** Payload bytes the process took from the socket. */
    receivedBytes: 'f64',
    receivedMessages: 'f64',
    receivedOctets: 'f64',
    receivedPackets: 'f64',
  },
  /** Addresses of the network namespaces that were met. */
  address: {
    netns: 'f64',
    interfaceIndex: 'u32',
    interfaceName: 'str',
    address: 'addr',
    /** 1 when the address is gone. */
    removed: 'u8',
  },
  /** Losses by place, cumulative since the start of capture. */
  loss: {
    place: 'str',
    count: 'f64',
  },
  /** What processes have spent since their start, read at one moment in the kernel. */
  usage: {
    /** {@link USAGE_KIND}. */
    kind: 'u8',
    /** {@link USAGE_FLAG}. */
    flags: 'u8',
    /** When it was read. */
    timeNs: 'f64',
    /** The socket whose use begins or ends, as in `socket.cookie`; 0 in samples. */
    cookie: 'f64',
    pid: 'u32',
    startNs: 'f64',
    /** Threads alive. */
    threads: 'u32',
    /** Time on a CPU of all threads, living and dead (`sum_exec_runtime`, with the running slice), in ns. */
    cpuNs: 'f64',
    /**
     * The part in user mode: `cpuNs` divided as the ticks fell, as getrusage(2) does. Each reading divides anew, so that a
     * difference of two can fall a little below 0, and the other part's above that of `cpuNs`.
     */
    userNs: 'f64',
    /** The part in the kernel. */
    systemNs: 'f64',
    /** Resident memory now; set with flag `memory`. */
    memoryBytes: 'f64',
    /** Highest resident memory since the previous sample, or since `began` on this socket; set with flag `peak`. */
    peakMemoryBytes: 'f64',
    minorFaults: 'f64',
    majorFaults: 'f64',
    /** Time its threads waited for block I/O (`delays->blkio_delay`), in ns; set with flag `ioWait`. */
    ioWaitNs: 'f64',
    /** Bytes fetched from storage (`ioac.read_bytes`). */
    readBytes: 'f64',
    /** Bytes sent to storage, or due to be (`ioac.write_bytes`). */
    writtenBytes: 'f64',
    /** Context switches because it waited (`nvcsw`). */
    voluntarySwitches: 'f64',
    /** Context switches because its time was up (`nivcsw`). */
    involuntarySwitches: 'f64',
  },
  /** HTTP/1 exchanges as the process at one socket saw them. The row of kind `ended` has all of it. */
  exchange: {
    /** {@link EXCHANGE_KIND}. */
    kind: 'u8',
    /** 0 the socket sends requests, 1 it answers them. */
    side: 'u8',
    /** 10 for HTTP/1.0, 11 for HTTP/1.1. */
    version: 'u8',
    /** {@link EXCHANGE_FLAG}. */
    flags: 'u16',
    /** {@link USAGE_FLAG} of the usage columns. */
    usageFlags: 'u8',
    /** The socket. */
    cookie: 'f64',
    /** How many requests came before it on this connection. */
    ordinal: 'u32',
    /** When the row was made. */
    timeNs: 'f64',
    /** First byte of the request was sent or taken. */
    requestStartNs: 'f64',
    /** Last byte of the request; 0 unknown. */
    requestEndNs: 'f64',
    /** First byte of the response; 0 none. */
    responseStartNs: 'f64',
    /** Last byte of the response; 0 none. */
    responseEndNs: 'f64',
    method: 'str',
    /** As in the request line. */
    target: 'str',
    /** The Host header. */
    host: 'str',
    /** The User-Agent header. */
    userAgent: 'str',
    /** Status code of the final response; 0 none. */
    status: 'u16',
    /** Bytes of the request, head and body as they were sent. */
    requestBytes: 'f64',
    /** Bytes of the response, interim responses included. */
    responseBytes: 'f64',
    /** The process that moved them: the one that finished it when there were several. */
    pid: 'u32',
    startNs: 'f64',
    /** The thread that took the request (side 1) or sent it (side 0). */
    tid: 'u32',
    /** `comm` of the thread. */
    threadName: 'str',
    /** The window of usage: from the request's first byte to the response's last. */
    windowFromNs: 'f64',
    windowToNs: 'f64',
    /** Spent by the process in the window, as in table `usage`; set with flag `process`. */
    cpuNs: 'f64',
    userNs: 'f64',
    systemNs: 'f64',
    /** Resident memory at the window's end. */
    memoryBytes: 'f64',
    /** Highest resident memory within the window. */
    peakMemoryBytes: 'f64',
    minorFaults: 'f64',
    majorFaults: 'f64',
    ioWaitNs: 'f64',
    readBytes: 'f64',
    writtenBytes: 'f64',
    voluntarySwitches: 'f64',
    involuntarySwitches: 'f64',
    /** Spent by the thread in the window; set with flag `thread`. */
    threadCpuNs: 'f64',
    threadUserNs: 'f64',
    threadSystemNs: 'f64',
    threadMinorFaults: 'f64',
    threadMajorFaults: 'f64',
    threadIoWaitNs: 'f64',
    threadReadBytes: 'f64',
    threadWrittenBytes: 'f64',
    threadVoluntarySwitches: 'f64',
    threadInvoluntarySwitches: 'f64',
  },
  /** What the first packets of a conversation tell of its application. A later row replaces an earlier one. */
  application: {
    /** {@link APPLICATION_FLAG}. */
    flags: 'u8',
    /** nDPI's ndpi_confidence_t. */
    confidence: 'u8',
    /** nDPI's number of the protocol below ("TLS"); 0 unknown. */
    protocolId: 'u16',
    /** nDPI's number of the application ("Google"), or of the protocol when there is none above it; 0 unknown. */
    applicationId: 'u16',
    timeNs: 'f64',
    cookie: 'f64',
    /** The peer of a UDP socket, connected or not; all zero for TCP. */
    peerAddress: 'addr',
    peerPort: 'u16',
    /** nDPI's name of the protocol. */
    protocol: 'str',
    /** nDPI's name of the application. */
    application: 'str',
    /** nDPI's category, like "Web". */
    category: 'str',
    /** TLS or QUIC server name indication. */
    serverName: 'str',
    /** ALPN protocols that the client offers. */
    alpn: 'str',
    /** Like "TLSv1.3". */
    tlsVersion: 'str',
    httpHost: 'str',
    httpUserAgent: 'str',
    /** Name asked for first, cut to 79 bytes. */
    dnsQuery: 'str',
    /** RCODE of the answer; -1 unknown. */
    dnsReplyCode: 'i32',
    /** Identification string of the SSH client. */
    sshClient: 'str',
    sshServer: 'str',
  },
  /** What the packets tier counted between a datagram socket and one peer; absolute, since the tier saw it first. */
  peer: {
    /** {@link PEER_FLAG}. */
    flags: 'u8',
    timeNs: 'f64',
    cookie: 'f64',
    peerAddress: 'addr',
    peerPort: 'u16',
    /**
     * IP octets and packets on the wire, payload within them: fragments are counted. Datagrams that came are counted
     * even when the socket had no room for them.
     */
    sentOctets: 'f64',
    sentPackets: 'f64',
    sentBytes: 'f64',
    receivedOctets: 'f64',
    receivedPackets: 'f64',
    receivedBytes: 'f64',
  },
  /** Tiers of capture, whenever one is switched on or off, and all of them at the start. */
  tier: {
    timeNs: 'f64',
    /** lifecycle, messages, packets, resources. */
    name: 'str',
    on: 'u8',
    /** Why it is off; unknown when on. */
    reason: 'str',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnType>>>>;

export type Tables = typeof TABLES;
export type TableName = keyof Tables;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** `process.kind`: 'seen' was there already or was found again by a scan; 'changed' has only what is new. */
export const PROCESS_KIND = { seen: 0, fork: 1, exec: 2, exit: 3, changed: 4 } as const;
/** `socket.kind`: 'seen' was found by a scan. */
export const SOCKET_KIND = { seen: 0, opened: 1, update: 2, ended: 3 } as const;

/** Bits of `socket.flags`. */
export const SOCKET_FLAG = {
  /** Accepted from a listener. */
  passive: 1,
  /** Was there before the agent. */
  seeded: 2,
  /** Listening, or only bound: it owns a port, it is no flow. */
  listener: 4,
  /** The TCP counters are set. */
  hasTcp: 8,
  /** Events of this socket were lost; what the row says comes from a scan. */
  lostEvents: 16,
  /** The messages tier counted this socket since it opened. */
  messagesCounted: 32,
  /** The last descriptor was closed. */
  released: 64,
  /** TCP: went to CLOSE by a reset of ours. */
  resetSent: 128,
  /** The packets tier saw the socket's packets: the TCP flags are set. */
  tcpFlags: 256,
  /** … but not all of its packets. */
  tcpFlagsPart: 512,
} as const;

/** Bits of `traffic.flags`. */
export const TRAFFIC_FLAG = {
  /** The counters end here; a later row for the same key starts at zero again. */
  final: 1,
  /** Octets and packets hold datagrams whose fragmentation was computed. */
  derived: 2,
  /** The first message was received, not sent. */
  firstReceived: 4,
  /** Read without asking for the sender: the peer is not known. */
  peerUnknown: 8,
} as const;

/** `usage.kind`: a tick's reading of every process; a process begins to use a socket, and ends to. */
export const USAGE_KIND = { sample: 0, began: 1, ended: 2 } as const;

/** Bits of `usage.flags` and `exchange.usageFlags`: what could be read. */
export const USAGE_FLAG = {
  /** The kernel accounts delays of this process. */
  ioWait: 1,
  /** It has memory of its own: no kernel thread, not past its exit. */
  memory: 2,
  /** The highest memory in the window is known. */
  peak: 4,
  /** One thread did it, and its own usage is set. */
  thread: 8,
  /** One process did it, and its usage is set. */
  process: 16,
  /** Bytes of storage and context switches are not known, and CPU time is in ticks of the clock. */
  part: 32,
} as const;

/** `exchange.kind`: the request has come; the exchange is over. */
export const EXCHANGE_KIND = { started: 0, ended: 1 } as const;

/** Bits of `exchange.flags`. */
export const EXCHANGE_FLAG = {
  /** The connection ended, or another request came, before a response. */
  unanswered: 1,
  /** The connection ended within the request or the response. */
  incomplete: 2,
  /** 101 or CONNECT: another protocol follows. */
  upgraded: 4,
  /** The request's head was longer than what is read of it. */
  headCut: 8,
  /** Records of the connection were lost: times and sizes may be, too. */
  lost: 16,
  /** The window does not reach over all of the exchange. */
  windowCut: 32,
} as const;

/** Bits of `application.flags`. */
export const APPLICATION_FLAG = {
  /** No more packets of this conversation are looked at. */
  final: 1,
  /** By port or address, not by what the packets say. */
  guessed: 2,
} as const;

/** Bits of `peer.flags`. */
export const PEER_FLAG = {
  /** The counters end here. */
  final: 1,
  /** The tier was not on, or the peer not counted, all of the time. */
  part: 2,
} as const;

/** Bytes of one value. */
export const COLUMN_BYTES: Readonly<Record<ColumnType, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  i32: 4,
  f64: 8,
  str: 4,
  addr: 16,
};

/** The layout as text, one line a column ("socket cookie f64"): what the addon's `layout()` gives, too. */
export function layoutText(): string {
  let text = '';
  for (const [table, columns] of Object.entries(TABLES)) {
    for (const [column, type] of Object.entries(columns)) text += `${table} ${column} ${type}\n`;
  }
  return text;
}
