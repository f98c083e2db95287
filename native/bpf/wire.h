/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the kernel programs and the addon share: map values and ring buffer records.
 * All structs are naturally aligned with explicit padding, so that both compilers lay them out alike; the static
 * assertions at the end hold in both.
 * Addresses are 16 bytes: IPv6, or IPv4-mapped. Ports and protocols are in host order. Times are ns since boot,
 * unless the name says otherwise.
 */
#ifndef PROCFLOW_WIRE_H
#define PROCFLOW_WIRE_H

#ifdef __bpf__
typedef __u8 pf_u8;
typedef __u16 pf_u16;
typedef __u32 pf_u32;
typedef __s32 pf_s32;
typedef __u64 pf_u64;
#define PF_STATIC_ASSERT _Static_assert
#else
#include <cstdint>
typedef std::uint8_t pf_u8;
typedef std::uint16_t pf_u16;
typedef std::uint32_t pf_u32;
typedef std::int32_t pf_s32;
typedef std::uint64_t pf_u64;
#define PF_STATIC_ASSERT static_assert
#endif

/* A process: pid alone is not one. uid is the effective one, in the initial user namespace. */
struct pf_process_ref {
	pf_u64 start_ns;
	pf_u32 pid;
	pf_u32 uid;
};

struct pf_counters {
	pf_u64 bytes;    /* as the system call returned them */
	pf_u64 messages; /* calls */
	pf_u64 octets;   /* IP layer; datagram sockets only */
	pf_u64 packets;  /* IP layer; datagram sockets only */
};

#define PF_TRAFFIC_DERIVED 2u
#define PF_TRAFFIC_FIRST_RECEIVED 4u
#define PF_TRAFFIC_PEER_UNKNOWN 8u

/* What one process moved on one socket with one peer. TCP: the peer is the socket's and stays zero here. */
struct pf_traffic {
	struct pf_process_ref mover;
	pf_u8 peer[16];
	pf_u16 peer_port;
	pf_u16 pad0;
	pf_u32 flags;
	pf_u32 ready; /* the fields above are filled: set last by whoever claimed the slot */
	pf_u32 window; /* for the highest memory of the mover since it began to use the socket */
	pf_u64 first_ns;
	pf_u64 last_ns; /* datagram sockets only */
	struct pf_counters sent;
	struct pf_counters received;
};

/* A socket that connects again is another flow: which life it is stands above the cookie, where that is a key. */
#define PF_LIFE_SHIFT 44

/* Key of further movers and peers of a socket, beyond the slot in its own state. */
struct pf_share_key {
	pf_u64 cookie; /* and life */
	pf_u64 start_ns;
	pf_u32 pid;
	pf_u16 peer_port;
	pf_u16 peer_unknown;
	pf_u8 peer[16];
};

#define PF_SOCK_PASSIVE 1u
#define PF_SOCK_SEEDED 2u
#define PF_SOCK_REPORTED 8u   /* user space heard of it */
#define PF_SOCK_MESSAGES 32u  /* counted by the messages tier since it opened */
#define PF_SOCK_RELEASED 64u
#define PF_SOCK_RESET_SENT 128u
#define PF_SOCK_CLOSED 256u   /* its end was reported */
#define PF_SOCK_DROPPED 512u  /* the filter leaves it out */
#define PF_SOCK_VERDICT 1024u /* the filter has spoken */
#define PF_SOCK_SHARES 2048u  /* has entries in the shares map */
#define PF_SOCK_HELD 4096u    /* ended in a process's hands, that may still read what came: told of again at its release */
#define PF_SOCK_CROWDED 8192u /* several threads use it at once: peers also wait in the pending map */
#define PF_SOCK_PACKETS 0x4000u     /* the packets tier looks at it */
#define PF_SOCK_NO_PACKETS 0x8000u  /* … leaves it out */
#define PF_SOCK_HTTP 0x10000u     /* has an entry in http_sockets */
#define PF_SOCK_NOT_HTTP 0x20000u /* is not looked at any more */
#define PF_SOCK_LOOKED 0x40000u   /* and the next bit: looked at since it turned, in what is sent, and received */
#define PF_SOCK_LOOKS 0x100000u   /* this and the bits above: how often it was looked at */

/* A peer address that a sendmsg or recvmsg hook saw, for the message that the same thread is about to finish. */
struct pf_pending {
	pf_u64 thread; /* pid_tgid; 0 is free */
	pf_u8 peer[16];
	pf_u16 peer_port;
	pf_u16 pad0;
	pf_u32 pad1;
};

/* State of one socket, keyed by the address of its struct sock. */
struct pf_socket {
	pf_u64 cookie;
	pf_u64 first_ns;
	pf_u32 netns;
	pf_u32 interface_index;
	pf_u8 local[16];
	pf_u8 remote[16];
	pf_u16 local_port;
	pf_u16 remote_port;
	pf_u16 protocol;
	pf_u8 family;
	pf_u8 type;
	pf_u32 flags;
	pf_u32 life; /* a socket that connects again is another flow: counts them */
	struct pf_process_ref creator;
	struct pf_process_ref opener;
	struct pf_process_ref closer;
	pf_u32 opener_window; /* as that of the mover */
	pf_u16 messages_epoch; /* pf_settings.messages_epoch when it opened; 0: TCP was left out, or not to be known */
	pf_u16 pad0;
	struct pf_process_ref last; /* moved bytes last */
	pf_u64 poll_signature;      /* of what the last poll reported; after the release, when that was */
	pf_u64 poll_holder_ns;      /* start of the process that the last poll reported as holder */
	struct pf_traffic slot;     /* the first mover with its first peer */
	struct pf_pending pending[2];
	/* The packets tier's: */
	pf_u32 tcp_flags;        /* of all packets so far: sent, and received shifted by 8 */
	pf_u8 packets_taken[2];  /* of the payload, by direction; PF_TAKEN_ENOUGH: no more */
	pf_u16 packets_epoch;    /* pf_packet_settings.epoch when it opened; 0: the tier was off, or not to be known */
};

/* Counters of tcp_sock at one moment. */
struct pf_tcp {
	pf_u64 bytes_sent;
	pf_u64 bytes_retransmitted;
	pf_u64 bytes_received; /* without the FIN */
	pf_u64 last_mono_us;   /* tcp_mstamp: last packet */
	pf_u32 unsent_bytes;
	pf_u32 unread_bytes;
	pf_u32 segments_out;
	pf_u32 segments_in;
	pf_u32 data_segments_out;
	pf_u32 data_segments_in;
	pf_u32 retransmits;
	pf_u32 rtt_us;
	pf_u32 min_rtt_us;
	pf_u16 header_bytes;
	pf_u8 state;
	pf_u8 from_state;
	pf_u32 error;
	pf_u32 has_tcp; /* PF_TCP_* */
};

#define PF_TCP_KNOWN 1u
#define PF_TCP_ECN 2u /* explicit congestion notification was agreed on in the handshake */

enum pf_record_type {
	PF_RECORD_SOCKET = 1,
	PF_RECORD_TRAFFIC = 2,
	PF_RECORD_PROCESS = 3,
	PF_RECORD_USAGE = 4,
	PF_RECORD_HTTP = 5,
	PF_RECORD_PACKET = 6,
};

/* Same values as the `kind` column of the socket table. */
enum pf_socket_kind {
	PF_SOCKET_SEEN = 0,
	PF_SOCKET_OPENED = 1,
	PF_SOCKET_UPDATE = 2,
	PF_SOCKET_ENDED = 3,
};

/* Same values as the `kind` column of the process table. */
enum pf_process_kind {
	PF_PROCESS_SEEN = 0,
	PF_PROCESS_FORK = 1,
	PF_PROCESS_EXEC = 2,
	PF_PROCESS_EXIT = 3,
	PF_PROCESS_CHANGED = 4,
};

struct pf_socket_record {
	pf_u32 record; /* PF_RECORD_SOCKET */
	pf_u32 kind;
	pf_u64 time_ns;
	pf_u64 sock; /* key of the state */
	struct pf_process_ref holder;
	struct pf_socket socket;
	struct pf_tcp tcp;
};

struct pf_traffic_record {
	pf_u32 record; /* PF_RECORD_TRAFFIC */
	pf_u32 kind;   /* 0 a new share, 1 the slot of a held socket at its release */
	pf_u64 time_ns;
	pf_u32 netns;
	pf_u16 protocol;
	pf_u16 pad0;
	pf_u8 local[16];
	struct pf_share_key key;
	struct pf_traffic traffic;
};

#define PF_UNKNOWN 0xffffffffffffffffull

/* What a thread has spent since its start, or a process: the sum of its threads, dead ones too. */
struct pf_usage {
	pf_u64 cpu_ns;    /* exact */
	pf_u64 user_ns;   /* these two as the clock ticks sampled them: they tell how to divide cpu_ns, not how long */
	pf_u64 system_ns;
	pf_u64 minor_faults;
	pf_u64 major_faults;
	pf_u64 io_wait_ns; /* PF_UNKNOWN when the kernel does not account delays of it */
	pf_u64 read_bytes; /* from and to storage */
	pf_u64 written_bytes;
	pf_u64 voluntary_switches;
	pf_u64 involuntary_switches;
};

/* Same values as the `kind` column of the usage table. */
enum pf_usage_kind {
	PF_USAGE_SAMPLE = 0,
	PF_USAGE_BEGAN = 1,
	PF_USAGE_ENDED = 2,
};

/* What a process has spent until one moment: at a tick, or as it begins or ends to use a socket. */
struct pf_usage_record {
	pf_u32 record; /* PF_RECORD_USAGE */
	pf_u32 kind;
	pf_u64 time_ns;
	pf_u64 cookie; /* of the flow; 0 in a sample */
	struct pf_process_ref process;
	pf_u32 threads;    /* that live; 0: the usage could not be read */
	pf_u32 connecting; /* began: user space did not hear of the socket yet */
	pf_u64 memory_pages; /* PF_UNKNOWN when it has none */
	pf_u64 peak_pages;   /* in the window: since it began to use the socket, or since the last tick; or PF_UNKNOWN */
	struct pf_usage usage;
};

#define PF_ARGUMENT_BYTES 4096

struct pf_process_record {
	pf_u32 record; /* PF_RECORD_PROCESS */
	pf_u32 kind;
	pf_u64 time_ns;
	pf_u64 start_ns;
	pf_u64 parent_start_ns;
	pf_u64 cgroup_id;
	pf_u64 executable_inode; /* exec: inode of mm->exe_file */
	pf_u32 pid;
	pf_u32 parent_pid;
	pf_u32 uid;
	pf_u32 gid;
	pf_s32 exit_code; /* exit: as wait(2) has it */
	pf_u32 kernel_thread;
	char comm[16];
	/* exit only: totals, and memory as in a sample */
	struct pf_usage usage;
	pf_u64 memory_pages;
	pf_u64 window_peak_pages; /* since the last tick */
	pf_u64 peak_memory_pages; /* since the start */
	pf_u32 threads; /* 0: the usage could not be read */
	pf_u32 pad1;
	/* exec only: the file name as given to execve, then the arguments, both cut at the buffer's end */
	pf_u32 filename_bytes;
	pf_u32 argument_bytes;
	pf_u32 arguments_total; /* bytes that argv has in the process */
	pf_u32 pad0;
	char text[256 + PF_ARGUMENT_BYTES];
};
#define PF_PROCESS_RECORD_HEAD ((pf_u32)__builtin_offsetof(struct pf_process_record, text))

/* So much of a request's head is read. */
#define PF_HTTP_HEAD_BYTES 4096
/* What is kept of a line that goes on in the next message. */
#define PF_HTTP_CARRY 64

enum pf_http_side { PF_HTTP_CLIENT = 0, PF_HTTP_SERVER = 1 };
enum pf_http_role { PF_HTTP_REQUESTS = 0, PF_HTTP_RESPONSES = 1 };

/* What the lines of a head said so far; http_scan.h has the flags. */
struct pf_http_framing {
	pf_u64 length;
	pf_u16 status; /* of a response */
	pf_u8 flags;
	pf_u8 lines; /* complete ones, at most 255 */
	pf_u32 pad0;
};

/* One direction of an HTTP connection, and the request or response that is under way in it. */
struct pf_http_way {
	pf_u64 bytes;    /* of it so far; of a response with the interim ones before it */
	pf_u64 left;     /* of its body, or of the chunk */
	pf_u64 start_ns; /* first byte */
	pf_u64 last_ns;  /* last byte so far */
	struct pf_http_framing framing;
	pf_u32 position;   /* TCP sequence number up to which the stream was followed */
	pf_u16 head_bytes; /* given to user space */
	pf_u8 state;       /* enum pf_http_state */
	pf_u8 mark;        /* digits of a chunk's size; whether a trailer's line has something */
	pf_u32 carried;    /* bytes of `line` */
	pf_u32 pad0;
	pf_u8 line[PF_HTTP_CARRY]; /* the line that the last message ended in */
};

/* So many exchanges under way at once have their highest memory told. */
#define PF_HTTP_WINDOWS 16

/* An HTTP connection, by the address of its struct sock. */
struct pf_http {
	pf_u64 cookie;    /* of the flow */
	pf_u32 requests;  /* heads that were complete */
	pf_u32 responses; /* final ones that have ended: the ordinal of the next */
	pf_u64 heads;     /* of the last 64 requests, by ordinal: HEAD … */
	pf_u64 connects;  /* … and CONNECT */
	pf_u32 side;
	pf_u16 shifted; /* requests were missed, so that the ordinals are too low */
	pf_u16 epoch;   /* pf_settings.messages_epoch when it was met: in another one it is not known where the streams are */
	pf_u32 windows[PF_HTTP_WINDOWS]; /* of the highest memory, by ordinal */
	struct pf_http_way ways[2]; /* by role */
};

enum pf_http_event {
	PF_HTTP_HEAD = 0,          /* bytes of a request's head */
	PF_HTTP_REQUEST_ENDED = 1, /* with a body that went on after the message with the end of its head */
	PF_HTTP_RESPONSE_ENDED = 2,
	PF_HTTP_CLOSED = 3,        /* nothing follows on this connection */
};

#define PF_HTTP_FIRST 1u        /* the head begins here */
#define PF_HTTP_LAST 2u         /* the head ends here */
#define PF_HTTP_WHOLE 4u        /* … and the request too */
#define PF_HTTP_CUT 8u          /* the head is longer than what was read of it */
#define PF_HTTP_UPGRADED 16u    /* another protocol follows */
#define PF_HTTP_UNTIL_CLOSE 32u /* the response under way ends with the connection */
#define PF_HTTP_READING 64u     /* the reading is set: at the first byte of a request, and at the last of a response */
#define PF_HTTP_SHIFTED 128u    /* requests before it were missed */

/*
 * Ordinals begin here for connections met in an epoch: both ends of a connection that was followed before begin anew with
 * the same, and none comes twice. So many requests a connection can have in one epoch, and so many epochs there can be,
 * that are followed afterwards.
 */
#define PF_HTTP_EPOCH_SHIFT 18
#define PF_HTTP_MOST_EPOCHS 8192u

/* What a process and one of its threads have spent until one moment. */
struct pf_reading {
	struct pf_usage process;
	struct pf_usage thread;
	pf_u64 memory_pages; /* PF_UNKNOWN when it has none */
	pf_u64 peak_pages;   /* since the request's first byte, or PF_UNKNOWN */
	pf_u32 threads;      /* that live; 0: the usage of the process could not be read */
	pf_u32 pad0;
};

/* The bytes of a head follow. */
struct pf_http_record {
	pf_u32 record; /* PF_RECORD_HTTP */
	pf_u8 event;
	pf_u8 side;
	pf_u16 flags;
	pf_u64 time_ns;
	pf_u64 cookie; /* of the flow */
	pf_u64 sock;   /* key of the state */
	/* The request or response that the event is about; at the close, the response under way, if start_ns is not 0. */
	pf_u64 start_ns;
	pf_u64 end_ns;
	pf_u64 bytes;
	pf_u64 body_bytes;    /* of a request whose head is complete, when `body` is a length; at the close: what came of one */
	pf_u32 ordinal;       /* of the exchange on its connection */
	pf_u16 status;
	pf_u16 body;          /* enum pf_http_body */
	pf_u32 data_bytes;
	pf_u32 repeated_bytes; /* of these, at the beginning, that the record before had too */
	pf_u32 tid;
	pf_u32 pad0;
	struct pf_process_ref process;
	char thread_name[16];
	struct pf_reading reading;
};

/* Entries of the filter map: a value and whether it is to be kept, dropped, or both lists have it. */
enum pf_filter_kind {
	PF_FILTER_PORT = 1,
	PF_FILTER_PROTOCOL = 2,
	PF_FILTER_CGROUP = 3,
	PF_FILTER_USER = 4,
	PF_FILTER_PROCESS = 5,
	PF_FILTER_ADDRESS = 6, /* in the prefix map, not in the set */
	PF_FILTER_KINDS = 7,
};
struct pf_filter_key {
	pf_u32 kind;
	pf_u32 pad0;
	pf_u8 value[16];
};
/* The family comes first, so that a short IPv6 prefix does not cover mapped IPv4 addresses. */
struct pf_prefix_key {
	pf_u32 bits;
	pf_u8 family; /* 4 or 6 */
	pf_u8 address[16];
	pf_u8 pad0[3];
};
#define PF_FAMILY_BITS 8
#define PF_FILTER_KEEP 1u
#define PF_FILTER_DROP 2u

/* Switches of the programs; one array entry that user space may rewrite while they run. */
struct pf_settings {
	pf_u32 keep_kinds; /* bit per pf_filter_kind with a non-empty keep list */
	pf_u32 drop_kinds;
	pf_u32 drop_loopback;
	pf_u32 own_pid; /* 0: keep the agent's own traffic */
	pf_u32 own_netns;
	pf_u16 own_ports[4];
	pf_u32 seeded; /* the first scan is done: what shows up now is new */
	pf_u32 full_poll; /* report every socket, changed or not */
	pf_u32 agent_pid;
	pf_u32 edges; /* read processes as they begin and end to use a socket */
	pf_u32 peaks; /* keep the highest memory within windows */
	pf_u16 messages_epoch; /* counts how often messages of TCP were switched on; 0 while they are left out */
	pf_u16 pad0;
};

/* Asks for what a process has spent until now: procflow_read_process. */
struct pf_usage_request {
	struct pf_process_ref process; /* pid and start */
	pf_u32 window;                 /* for the peak; 0: none */
	pf_u32 pad0;
	struct pf_usage_record answer; /* threads stays 0 when the process is gone */
};

/* Finds out how far the monotonic clock is from the scheduler's: see procflow_calibrate. */
struct pf_calibration {
	pf_u64 smallest; /* difference of a few runs, in ns */
	pf_u32 last;     /* the run that makes it count */
	/* From a CPU's run queue to the kernel's other variables of that CPU; 0 when it has none such. */
	pf_s32 steal_distance;     /* struct kvm_steal_time */
	pf_s32 interrupt_distance; /* struct irqtime */
	pf_u32 pad0;
};

/* Counted per CPU. */
enum pf_loss {
	PF_LOSS_RING_SOCKET = 0,
	PF_LOSS_RING_TRAFFIC,
	PF_LOSS_RING_PROCESS,
	PF_LOSS_SOCKET_TABLE, /* sockets whose state fitted neither into the hash nor into socket storage */
	PF_LOSS_PEER_TABLE,   /* messages whose peer or process did not fit: their bytes are not attributed */
	PF_LOSS_ENDED_TABLE,  /* ends that fit neither into the ring nor into the table for them */
	PF_LOSS_PENDING,      /* messages whose peer was lost between two hooks */
	PF_LOSS_RING_USAGE,
	PF_LOSS_GROUP_TABLE,  /* processes whose highest memory, and I/O wait of dead threads, cannot be kept */
	PF_LOSS_RING_HTTP,
	PF_LOSS_HTTP_TABLE,  /* connections that had no room */
	PF_LOSS_HTTP_UNREAD, /* heads that could not be read where the process has them, or whose beginning was missed */
	PF_LOSS_RING_PACKET,  /* payload not taken for want of room in the ring */
	PF_LOSS_PEER_COUNTERS, /* packets whose peer did not fit into its table */
	PF_LOSSES,
};
enum pf_run {
	PF_RUN_SET_STATE = 0,
	PF_RUN_DESTROY,
	PF_RUN_SOCK_CREATE,
	PF_RUN_SOCK_RELEASE,
	PF_RUN_SEND,
	PF_RUN_RECV,
	PF_RUN_PEER,
	PF_RUN_FORK,
	PF_RUN_EXEC,
	PF_RUN_EXIT,
	PF_RUN_FREE,
	PF_RUN_MEMORY,
	PF_RUN_HTTP, /* messages that were looked at for HTTP, within the programs that count messages */
	PF_RUN_OTHERS, /* messages of others than TCP, within the same programs */
	PF_RUN_PACKET_SENT,
	PF_RUN_PACKET_RECEIVED,
	PF_RUNS,
};
struct pf_statistics {
	pf_u64 losses[PF_LOSSES];
	pf_u64 runs[PF_RUNS];
	/* Of no meaning to user space: whose memory this CPU looked at last, and how much the counters said that it is. */
	pf_u64 seen_mm;
	pf_u64 seen_pages;
};

/* --- the packets tier --- */

#define PF_PACKET_BYTES 4096
#define PF_TAKEN_ENOUGH 255u

/* What the packets tier looks at: conversations that are in every list that is not empty. */
struct pf_packet_settings {
	pf_u16 epoch;         /* counts how often the tier was switched on; 0 while it is off */
	pf_u16 look_kinds;    /* bit per pf_filter_kind with entries in the selection map */
	pf_u16 first_packets; /* per conversation and direction */
	pf_u16 packet_bytes;  /* of each, its payload's first */
};

/* Key of what is counted of a datagram socket with one peer. */
struct pf_peer_key {
	pf_u64 cookie;
	pf_u8 peer[16];
	pf_u16 peer_port;
	pf_u16 pad0;
	pf_u32 pad1;
};

/* On the wire: a datagram in fragments, or sent by segmentation offload, is several packets. */
struct pf_wire_counters {
	pf_u64 octets; /* IP headers in */
	pf_u64 packets;
	pf_u64 bytes;
};

struct pf_peer {
	struct pf_wire_counters sent;
	struct pf_wire_counters received;
	pf_u8 packets_taken[2];
	pf_u16 epoch; /* of the socket */
	pf_u32 pad0;
};

#define PF_PACKET_PASSIVE 1u  /* the socket was accepted: its peer is the client */
#define PF_PACKET_UNJUDGED 2u /* by the filter: nobody has used the socket yet, and it asks for processes */

/* One of the first packets with payload of a conversation. */
struct pf_packet_record {
	pf_u32 record; /* PF_RECORD_PACKET */
	pf_u8 direction; /* 0 sent, 1 received */
	pf_u8 number; /* how many of this conversation and direction came before it */
	pf_u8 tcp_flags;
	pf_u8 flags; /* PF_PACKET_* */
	pf_u64 time_ns;
	pf_u64 cookie;
	pf_u32 netns;
	pf_u32 payload_bytes; /* as it was on the wire */
	pf_u8 local[16];
	pf_u8 remote[16];
	pf_u16 local_port;
	pf_u16 remote_port;
	pf_u16 protocol;
	pf_u16 captured_bytes; /* of the payload, below */
	pf_u32 sequence; /* TCP */
	pf_u32 acknowledgement;
	pf_u8 payload[PF_PACKET_BYTES];
};
#define PF_PACKET_RECORD_HEAD ((pf_u32)__builtin_offsetof(struct pf_packet_record, payload))

PF_STATIC_ASSERT(sizeof(struct pf_packet_settings) == 8, "pf_packet_settings");
PF_STATIC_ASSERT(sizeof(struct pf_peer_key) == 32, "pf_peer_key");
PF_STATIC_ASSERT(sizeof(struct pf_peer) == 56, "pf_peer");
PF_STATIC_ASSERT(sizeof(struct pf_packet_record) == 80 + PF_PACKET_BYTES, "pf_packet_record");

PF_STATIC_ASSERT(sizeof(struct pf_process_ref) == 16, "pf_process_ref");
PF_STATIC_ASSERT(sizeof(struct pf_usage) == 80, "pf_usage");
PF_STATIC_ASSERT(sizeof(struct pf_traffic) == 128, "pf_traffic");
PF_STATIC_ASSERT(sizeof(struct pf_share_key) == 40, "pf_share_key");
PF_STATIC_ASSERT(sizeof(struct pf_socket) == 360, "pf_socket");
PF_STATIC_ASSERT(sizeof(struct pf_tcp) == 80, "pf_tcp");
PF_STATIC_ASSERT(sizeof(struct pf_socket_record) == 480, "pf_socket_record");
PF_STATIC_ASSERT(sizeof(struct pf_traffic_record) == 208, "pf_traffic_record");
PF_STATIC_ASSERT(sizeof(struct pf_settings) == 52, "pf_settings");
PF_STATIC_ASSERT(sizeof(struct pf_usage_record) == 144, "pf_usage_record");
PF_STATIC_ASSERT(sizeof(struct pf_http_way) == 128, "pf_http_way");
PF_STATIC_ASSERT(sizeof(struct pf_http) == 360, "pf_http");
PF_STATIC_ASSERT(sizeof(struct pf_http_record) == 304, "pf_http_record");
PF_STATIC_ASSERT(sizeof(struct pf_filter_key) == 24, "pf_filter_key");
PF_STATIC_ASSERT(sizeof(struct pf_prefix_key) == 24, "pf_prefix_key");

#endif
