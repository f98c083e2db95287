/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Maps, settings, statistics, and who is running: what all programs share. */
#ifndef PROCFLOW_COMMON_H
#define PROCFLOW_COMMON_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel.h"
#include "wire.h"

/* A pointer as one to a kernel struct. Kernel 6.2. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

static __always_inline bool has_casts(void)
{
	return (void *)bpf_rdonly_cast != 0;
}

/*
 * The struct that a pointer member is to be read from. For each one that it reads from a struct that it trusts, the verifier
 * searches all types of the kernel, up to four times: that took two thirds of the time to load the programs.
 */
#define untrusted(pointer) \
	(has_casts() ? (typeof(pointer))bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(typeof(*(pointer)))) : (pointer))

/* Directions of a message. */
#define PF_SENT 0
#define PF_RECEIVED 1

/* Ring buffer with all records. Its size is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

/*
 * State of each socket, by the address of its struct sock. A preallocated hash costs half of what socket storage costs
 * per connection; what does not fit goes there.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, struct pf_socket);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pf_socket);
} overflow SEC(".maps");

/* Further processes and peers of a socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pf_share_key);
	__type(value, struct pf_traffic);
} shares SEC(".maps");

/* Ends that the ring buffer had no room for, by cookie: the counters must not be lost with the event. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct pf_socket_record);
} ended SEC(".maps");

/* Peers seen by a sendmsg or recvmsg hook while another thread's wait in the state of the same socket. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct pf_pending);
} pending_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pf_statistics);
} statistics SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pf_settings);
} settings SEC(".maps");

/* What the packets tier looks at. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pf_packet_settings);
} packet_settings SEC(".maps");

static __always_inline struct pf_packet_settings *get_packet_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&packet_settings, &zero);
}

/* For a socket whose first packet is yet to come. */
static __always_inline __u16 packets_epoch(void)
{
	struct pf_packet_settings *set = get_packet_settings();

	return set ? set->epoch : 0;
}

static __always_inline void count_loss(enum pf_loss place)
{
	__u32 zero = 0;
	struct pf_statistics *stats = bpf_map_lookup_elem(&statistics, &zero);

	if (stats)
		stats->losses[place]++;
}

static __always_inline void count_run(enum pf_run program)
{
	__u32 zero = 0;
	struct pf_statistics *stats = bpf_map_lookup_elem(&statistics, &zero);

	if (stats)
		stats->runs[program]++;
}

static __always_inline struct pf_settings *get_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

/* For a TCP socket whose first message is yet to come. */
static __always_inline __u16 messages_epoch(void)
{
	struct pf_settings *set = get_settings();

	return set ? set->messages_epoch : 0;
}

/*
 * Waking the reader for each record halves the connection rate, so it comes by itself every few milliseconds, and is
 * woken only when the ring is an eighth full.
 */
static __always_inline __u64 wake_flag(void)
{
	__u64 waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	return waiting > bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 8 ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void process_of(struct task_struct *task, struct pf_process_ref *ref)
{
	struct task_struct *leader = untrusted(task)->group_leader;

	ref->start_ns = leader->start_boottime;
	ref->pid = task->tgid;
	ref->uid = untrusted(task)->cred->euid.val;
}

/* The process that runs, or nobody when that is a kernel thread. Only in hooks that run in process context. */
static __always_inline void current_process(struct pf_process_ref *ref)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->flags & PF_KTHREAD)
		return;
	process_of(task, ref);
}

#endif
