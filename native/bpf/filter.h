/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which sockets are captured: those in every keep list that is not empty, and in no drop list. */
#ifndef PROCFLOW_FILTER_H
#define PROCFLOW_FILTER_H

#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pf_filter_key);
	__type(value, __u32);
} filter_set SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pf_prefix_key);
	__type(value, __u32);
} filter_prefixes SEC(".maps");

static __always_inline __u32 in_set(enum pf_filter_kind kind, const void *value, __u32 size)
{
	struct pf_filter_key key = { .kind = kind };
	__u32 *lists;

	__builtin_memcpy(key.value, value, size);
	lists = bpf_map_lookup_elem(&filter_set, &key);
	return lists ? *lists : 0;
}

static __always_inline bool is_v4_mapped(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline __u32 in_prefixes(const __u8 *address)
{
	struct pf_prefix_key key = { .bits = PF_FAMILY_BITS + 128, .family = is_v4_mapped(address) ? 4 : 6 };
	__u32 *lists;

	__builtin_memcpy(key.address, address, 16);
	lists = bpf_map_lookup_elem(&filter_prefixes, &key);
	return lists ? *lists : 0;
}

static __always_inline bool is_loopback(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	if (is_v4_mapped(address))
		return address[12] == 127;
	return words[0] == 0 && words[1] == 0 && words[2] == 0 && words[3] == bpf_htonl(1);
}

static __always_inline bool same_address(const __u8 *a, const __u8 *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/* The protocol as the configuration names it: raw sockets of whatever protocol but ICMP are IPPROTO_RAW. */
static __always_inline __u16 filter_protocol(const struct pf_socket *s)
{
	if (s->type == PF_SOCK_TYPE_RAW && s->family != PF_AF_PACKET && s->protocol != PF_IPPROTO_ICMP &&
	    s->protocol != PF_IPPROTO_ICMPV6)
		return PF_IPPROTO_RAW;
	return s->protocol;
}

/* The agent's own: its sockets, and those of others that talk to the port it listens on. */
static __always_inline bool is_own(const struct pf_settings *set, const struct pf_socket *s, __u32 pid)
{
	if (!set->own_pid)
		return false;
	if (pid == set->own_pid)
		return true;
	if (s->protocol != PF_IPPROTO_TCP || s->netns != set->own_netns)
		return false;
	for (int i = 0; i < 4; i++) {
		__u16 port = set->own_ports[i];

		if (!port)
			break;
		if (s->remote_port == port && (is_loopback(s->remote) || same_address(s->local, s->remote)))
			return true;
		if (s->local_port == port)
			return true;
	}
	return false;
}

/*
 * Whether a socket is left out. `process` is who opened it or moves its bytes; when nobody is known yet the lists of
 * processes, users and cgroups wait for the first message. Returns PF_SOCK_* flags to set: DROPPED and, when nothing
 * was left to be known, VERDICT.
 */
static __noinline __u32 filter_verdict_for(struct pf_socket *s, struct pf_process_ref *process, struct task_struct *task)
{
	struct pf_settings *set = get_settings();
	__u32 keep = 0, drop = 0, lists, matched = 0;
	__u64 cgroup;
	char comm[16];

	if (!set || !s || !process || !task)
		return 0;
	if (is_own(set, s, process->pid))
		return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
	if (set->drop_loopback && is_loopback(s->remote))
		return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
	keep = set->keep_kinds;
	drop = set->drop_kinds;
	if (!(keep | drop))
		return process->pid || !set->own_pid ? PF_SOCK_VERDICT : 0;

	if ((keep | drop) & (1u << PF_FILTER_PROTOCOL)) {
		__u16 protocol = filter_protocol(s);

		lists = in_set(PF_FILTER_PROTOCOL, &protocol, sizeof(protocol));
		if (lists & PF_FILTER_DROP)
			return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
		if (lists & PF_FILTER_KEEP)
			matched |= 1u << PF_FILTER_PROTOCOL;
	}
	if ((keep | drop) & (1u << PF_FILTER_PORT)) {
		lists = in_set(PF_FILTER_PORT, &s->remote_port, sizeof(s->remote_port)) |
			in_set(PF_FILTER_PORT, &s->local_port, sizeof(s->local_port));
		if (lists & PF_FILTER_DROP)
			return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
		if (lists & PF_FILTER_KEEP)
			matched |= 1u << PF_FILTER_PORT;
	}
	if ((keep | drop) & (1u << PF_FILTER_ADDRESS)) {
		lists = in_prefixes(s->remote) | in_prefixes(s->local);
		if (lists & PF_FILTER_DROP)
			return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
		if (lists & PF_FILTER_KEEP)
			matched |= 1u << PF_FILTER_ADDRESS;
	}
	if (!process->pid) {
		/* What is known so far must fit; the rest is asked at the first message. */
		__u32 known = (1u << PF_FILTER_PROTOCOL) | (1u << PF_FILTER_PORT) | (1u << PF_FILTER_ADDRESS);

		return (keep & known & ~matched) ? PF_SOCK_DROPPED | PF_SOCK_VERDICT : 0;
	}
	if ((keep | drop) & (1u << PF_FILTER_USER)) {
		lists = in_set(PF_FILTER_USER, &process->uid, sizeof(process->uid));
		if (lists & PF_FILTER_DROP)
			return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
		if (lists & PF_FILTER_KEEP)
			matched |= 1u << PF_FILTER_USER;
	}
	if ((keep | drop) & (1u << PF_FILTER_CGROUP)) {
		cgroup = untrusted(task)->cgroups->dfl_cgrp->kn->id;
		lists = in_set(PF_FILTER_CGROUP, &cgroup, sizeof(cgroup));
		if (lists & PF_FILTER_DROP)
			return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
		if (lists & PF_FILTER_KEEP)
			matched |= 1u << PF_FILTER_CGROUP;
	}
	if ((keep | drop) & (1u << PF_FILTER_PROCESS)) {
		task = untrusted(task)->group_leader;
		__builtin_memcpy(comm, task->comm, sizeof(comm));
		lists = in_set(PF_FILTER_PROCESS, comm, sizeof(comm));
		if (lists & PF_FILTER_DROP)
			return PF_SOCK_DROPPED | PF_SOCK_VERDICT;
		if (lists & PF_FILTER_KEEP)
			matched |= 1u << PF_FILTER_PROCESS;
	}
	return (keep & ~matched) ? PF_SOCK_DROPPED | PF_SOCK_VERDICT : PF_SOCK_VERDICT;
}

static __always_inline __u32 filter_verdict(struct pf_socket *s, struct pf_process_ref *process)
{
	return filter_verdict_for(s, process, bpf_get_current_task_btf());
}

#endif
