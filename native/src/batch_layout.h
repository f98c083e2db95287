// The layout of a batch: the tables that capture hands to JavaScript, their columns and types.
//
// This is the one description of it. The addon exports it as `layout()`, src/capture/layout.ts names the same columns
// with their meaning, and the two are compared when the addon loads and when a recording is opened.
//
// A batch is one ArrayBuffer, little endian:
//   0   u32 magic "PFB1"     4  u32 layout version     8  f64 sequence
//   16  f64 readBootNs: CLOCK_BOOTTIME when the batch was closed
//   24  f64 bootToUnixNs: what to add to boot time to get Unix time, read at the same moment
//   32  u32 number of tables, then per table u32 rows, then u32 number of strings, u32 bytes of all strings
//   ... padded to 8; per table its columns in order, each padded to 8
//   ... u32 end offset of each string (padded to 8), then the bytes of the strings (UTF-8 or whatever the kernel had)
//
// Types: u8 u16 u32 i32 f64 and
//   str   u32 index into the batch's strings; 0xffffffff is unknown
//   addr  16 bytes: IPv6, or IPv4-mapped; all zero is unspecified
// 64-bit counters travel as f64: exact to 2^53 (nanoseconds since boot: to 104 days, then to 2 ns).
#pragma once

#define PF_LAYOUT_VERSION 2

// Process events. `kind`: 0 seen (was there, or found again by a scan), 1 fork, 2 exec, 3 exit, 4 changed.
// `arguments` is argv joined by NUL. Columns that an event does not know are the unknown string, or 0 in totals.
#define PF_PROCESS_COLUMNS(X)                                                                                          \
  X(kind, u8) X(argumentsTruncated, u8) X(exitSignal, u8) X(hasTotals, u8)                                             \
  X(timeNs, f64) X(pid, u32) X(startNs, f64) X(parentPid, u32) X(parentStartNs, f64)                                   \
  X(uid, u32) X(gid, u32) X(cgroupId, f64) X(cgroup, str) X(name, str) X(executable, str) X(arguments, str)            \
  X(exitCode, i32) X(userNs, f64) X(systemNs, f64) X(peakMemoryBytes, f64) X(minorFaults, f64) X(majorFaults, f64)     \
  X(readBytes, f64) X(writtenBytes, f64)

// Sockets. `kind`: 0 seen (a scan: already there, or found again), 1 opened, 2 update, 3 ended.
// `state`: TCP state (include/net/tcp_states.h); for other protocols 1 connected, 7 not.
// `error`: sk_err at the end. `fromState`: the TCP state before the end.
// `flags`: see PF_SOCKET_FLAG_*.
#define PF_SOCKET_COLUMNS(X)                                                                                           \
  X(kind, u8) X(family, u8) X(type, u8) X(state, u8) X(fromState, u8) X(protocol, u16) X(error, u16) X(flags, u32)     \
  X(timeNs, f64) X(cookie, f64) X(netns, f64) X(interfaceIndex, u32) X(localAddress, addr) X(localPort, u16)           \
  X(remoteAddress, addr) X(remotePort, u16) X(firstNs, f64) X(lastNs, f64)                                             \
  X(creatorPid, u32) X(creatorStartNs, f64) X(openerPid, u32) X(openerStartNs, f64)                                    \
  X(moverPid, u32) X(moverStartNs, f64) X(closerPid, u32) X(closerStartNs, f64)                                        \
  X(holderPid, u32) X(holderStartNs, f64) X(uid, u32)                                                                  \
  X(bytesSent, f64) X(bytesRetransmitted, f64) X(bytesReceived, f64) X(unsentBytes, f64) X(unreadBytes, f64)           \
  X(segmentsOut, f64) X(segmentsIn, f64) X(dataSegmentsOut, f64) X(dataSegmentsIn, f64) X(retransmits, f64)            \
  X(rttUs, u32) X(minRttUs, u32) X(headerBytes, u16) X(sentTcpFlags, u8) X(receivedTcpFlags, u8)

// What one process moved on one socket with one peer, since the socket's (or the agent's) start; absolute values.
// TCP and connected sockets: the peer is the socket's. `flags`: see PF_TRAFFIC_FLAG_*.
#define PF_TRAFFIC_COLUMNS(X)                                                                                          \
  X(flags, u32) X(timeNs, f64) X(cookie, f64) X(pid, u32) X(startNs, f64) X(uid, u32)                                  \
  X(localAddress, addr) X(peerAddress, addr) X(peerPort, u16) X(firstNs, f64) X(lastNs, f64)                           \
  X(sentBytes, f64) X(sentMessages, f64) X(sentOctets, f64) X(sentPackets, f64)                                        \
  X(receivedBytes, f64) X(receivedMessages, f64) X(receivedOctets, f64) X(receivedPackets, f64)

// Addresses of the network namespaces that were met.
#define PF_ADDRESS_COLUMNS(X) X(netns, f64) X(interfaceIndex, u32) X(interfaceName, str) X(address, addr) X(removed, u8)

// Losses by place, cumulative since the start.
#define PF_LOSS_COLUMNS(X) X(place, str) X(count, f64)

// What a process, and where it says so a thread, has spent since its start, read at one moment.
// `kind`: 0 sample (a tick: all processes), 1 began (it begins to use the socket), 2 ended (it ends to).
#define PF_USAGE_COLUMNS(X)                                                                                            \
  X(kind, u8) X(flags, u8) X(timeNs, f64) X(cookie, f64) X(pid, u32) X(startNs, f64) X(threads, u32)                   \
  X(cpuNs, f64) X(userNs, f64) X(systemNs, f64) X(memoryBytes, f64) X(peakMemoryBytes, f64)                            \
  X(minorFaults, f64) X(majorFaults, f64) X(ioWaitNs, f64) X(readBytes, f64) X(writtenBytes, f64)                      \
  X(voluntarySwitches, f64) X(involuntarySwitches, f64)

// HTTP exchanges as one socket's process saw them, one row when the request has come (kind 0) and one when it is over
// (kind 1), which has all of it. Usage is what was spent between the window's edges.
#define PF_EXCHANGE_COLUMNS(X)                                                                                         \
  X(kind, u8) X(side, u8) X(version, u8) X(flags, u16) X(usageFlags, u8) X(cookie, f64) X(ordinal, u32)                \
  X(timeNs, f64) X(requestStartNs, f64) X(requestEndNs, f64) X(responseStartNs, f64) X(responseEndNs, f64)             \
  X(method, str) X(target, str) X(host, str) X(userAgent, str) X(status, u16)                                          \
  X(requestBytes, f64) X(responseBytes, f64) X(pid, u32) X(startNs, f64) X(tid, u32) X(threadName, str)                \
  X(windowFromNs, f64) X(windowToNs, f64)                                                                              \
  X(cpuNs, f64) X(userNs, f64) X(systemNs, f64) X(memoryBytes, f64) X(peakMemoryBytes, f64)                            \
  X(minorFaults, f64) X(majorFaults, f64) X(ioWaitNs, f64) X(readBytes, f64) X(writtenBytes, f64)                      \
  X(voluntarySwitches, f64) X(involuntarySwitches, f64)                                                                \
  X(threadCpuNs, f64) X(threadUserNs, f64) X(threadSystemNs, f64)                                                      \
  X(threadMinorFaults, f64) X(threadMajorFaults, f64) X(threadIoWaitNs, f64)                                           \
  X(threadReadBytes, f64) X(threadWrittenBytes, f64)                                                                   \
  X(threadVoluntarySwitches, f64) X(threadInvoluntarySwitches, f64)

// What the first packets of a conversation tell of its application.
#define PF_APPLICATION_COLUMNS(X)                                                                                      \
  X(flags, u8) X(confidence, u8) X(protocolId, u16) X(applicationId, u16) X(timeNs, f64) X(cookie, f64)                \
  X(peerAddress, addr) X(peerPort, u16) X(protocol, str) X(application, str) X(category, str)                          \
  X(serverName, str) X(alpn, str) X(tlsVersion, str) X(httpHost, str) X(httpUserAgent, str)                            \
  X(dnsQuery, str) X(dnsReplyCode, i32) X(sshClient, str) X(sshServer, str)

// What the packets tier counted between a datagram socket and one peer; absolute, since the tier saw it first.
#define PF_PEER_COLUMNS(X)                                                                                             \
  X(flags, u8) X(timeNs, f64) X(cookie, f64) X(peerAddress, addr) X(peerPort, u16)                                     \
  X(sentOctets, f64) X(sentPackets, f64) X(sentBytes, f64)                                                             \
  X(receivedOctets, f64) X(receivedPackets, f64) X(receivedBytes, f64)

// Tiers of capture when one is switched on or off: at the start all of them.
#define PF_TIER_COLUMNS(X) X(timeNs, f64) X(name, str) X(on, u8) X(reason, str)

#define PF_TABLES(T)                                                                                                   \
  T(process, PF_PROCESS_COLUMNS)                                                                                       \
  T(socket, PF_SOCKET_COLUMNS)                                                                                         \
  T(traffic, PF_TRAFFIC_COLUMNS)                                                                                       \
  T(address, PF_ADDRESS_COLUMNS)                                                                                       \
  T(loss, PF_LOSS_COLUMNS)                                                                                             \
  T(usage, PF_USAGE_COLUMNS)                                                                                           \
  T(exchange, PF_EXCHANGE_COLUMNS)                                                                                     \
  T(application, PF_APPLICATION_COLUMNS)                                                                               \
  T(peer, PF_PEER_COLUMNS)                                                                                             \
  T(tier, PF_TIER_COLUMNS)

// Socket flags.
#define PF_SOCKET_FLAG_PASSIVE 1u           // accepted from a listener
#define PF_SOCKET_FLAG_SEEDED 2u            // was there before the agent
#define PF_SOCKET_FLAG_LISTENER 4u          // a listening or bound-only socket: it owns a port, it is no flow
#define PF_SOCKET_FLAG_HAS_TCP 8u           // the TCP counters are set
#define PF_SOCKET_FLAG_LOST_EVENTS 16u      // events of this socket were lost; what the row says comes from a scan
#define PF_SOCKET_FLAG_MESSAGES_COUNTED 32u // the messages tier counted this socket since it opened
#define PF_SOCKET_FLAG_RELEASED 64u         // the last descriptor was closed
#define PF_SOCKET_FLAG_RESET_SENT 128u      // TCP: went to CLOSE by a reset of ours
#define PF_SOCKET_FLAG_TCP_FLAGS 256u       // the packets tier saw the socket's packets: the TCP flags are set
#define PF_SOCKET_FLAG_TCP_FLAGS_PART 512u  // … but not all of them

// Traffic flags.
#define PF_TRAFFIC_FLAG_FINAL 1u           // the counters end here; a later row for the same key starts at zero again
#define PF_TRAFFIC_FLAG_DERIVED 2u         // octets and packets hold datagrams whose fragmentation was computed
#define PF_TRAFFIC_FLAG_FIRST_RECEIVED 4u  // the first message was received, not sent
#define PF_TRAFFIC_FLAG_PEER_UNKNOWN 8u    // read without asking for the sender: the peer is not known

// Usage flags: which of the readings below could be had.
#define PF_USAGE_FLAG_IO_WAIT 1u  // the kernel accounts delays of this process
#define PF_USAGE_FLAG_MEMORY 2u   // it has memory of its own: no kernel thread, not past its exit
#define PF_USAGE_FLAG_PEAK 4u     // the highest memory in the window is known
#define PF_USAGE_FLAG_THREAD 8u   // exchange: one thread did it, and its own usage is set
#define PF_USAGE_FLAG_PROCESS 16u // exchange: one process did it, and its usage is set
#define PF_USAGE_FLAG_PART 32u    // bytes of storage and context switches are not known, and CPU time is in ticks

// Exchange flags.
#define PF_EXCHANGE_FLAG_UNANSWERED 1u      // the connection ended, or another request came, before a response
#define PF_EXCHANGE_FLAG_INCOMPLETE 2u      // the connection ended within the request or the response
#define PF_EXCHANGE_FLAG_UPGRADED 4u        // 101 or CONNECT: another protocol follows
#define PF_EXCHANGE_FLAG_HEAD_CUT 8u        // the request's head was longer than what is read of it
#define PF_EXCHANGE_FLAG_LOST 16u           // records of the connection were lost: times and sizes may be
#define PF_EXCHANGE_FLAG_WINDOW_CUT 32u     // the window does not reach over all of the exchange

// Application flags.
#define PF_APPLICATION_FLAG_FINAL 1u  // no more packets of this conversation are looked at
#define PF_APPLICATION_FLAG_GUESSED 2u  // by port or address, not by what the packets say

// Peer flags.
#define PF_PEER_FLAG_FINAL 1u     // the counters end here
#define PF_PEER_FLAG_PART 2u      // the tier was not on, or the peer not counted, all of the time
