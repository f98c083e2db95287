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

#define PF_LAYOUT_VERSION 1

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
  X(rttUs, u32) X(minRttUs, u32) X(headerBytes, u16)

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

#define PF_TABLES(T)                                                                                                   \
  T(process, PF_PROCESS_COLUMNS)                                                                                       \
  T(socket, PF_SOCKET_COLUMNS)                                                                                         \
  T(traffic, PF_TRAFFIC_COLUMNS)                                                                                       \
  T(address, PF_ADDRESS_COLUMNS)                                                                                       \
  T(loss, PF_LOSS_COLUMNS)

// Socket flags.
#define PF_SOCKET_FLAG_PASSIVE 1u           // accepted from a listener
#define PF_SOCKET_FLAG_SEEDED 2u            // was there before the agent
#define PF_SOCKET_FLAG_LISTENER 4u          // a listening or bound-only socket: it owns a port, it is no flow
#define PF_SOCKET_FLAG_HAS_TCP 8u           // the TCP counters are set
#define PF_SOCKET_FLAG_LOST_EVENTS 16u      // events of this socket were lost; what the row says comes from a scan
#define PF_SOCKET_FLAG_MESSAGES_COUNTED 32u // the messages tier counted this socket since it opened
#define PF_SOCKET_FLAG_RELEASED 64u         // the last descriptor was closed
#define PF_SOCKET_FLAG_RESET_SENT 128u      // TCP: went to CLOSE by a reset of ours

// Traffic flags.
#define PF_TRAFFIC_FLAG_FINAL 1u           // the counters end here; a later row for the same key starts at zero again
#define PF_TRAFFIC_FLAG_DERIVED 2u         // octets and packets hold datagrams whose fragmentation was computed
#define PF_TRAFFIC_FLAG_FIRST_RECEIVED 4u  // the first message was received, not sent
#define PF_TRAFFIC_FLAG_PEER_UNKNOWN 8u    // read without asking for the sender: the peer is not known
