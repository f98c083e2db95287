/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The address that the running process gave to sendto(2) or sendmsg(2). Raw and ping sockets keep it nowhere in the
 * kernel, so it is read where the process has it; nothing else is to be had without a look at each packet of the host.
 * For UDP it serves when a hook saw the peer before the socket had a state.
 */
#ifndef PROCFLOW_SYSTEM_CALL_H
#define PROCFLOW_SYSTEM_CALL_H

#include "common.h"

#if defined(__TARGET_ARCH_x86)
#define PF_CALL(regs) ((regs)->orig_ax)
#define PF_CALL_READ 0
#define PF_CALL_WRITE 1
#define PF_CALL_READV 19
#define PF_CALL_WRITEV 20
#define PF_CALL_SENDTO 44
#define PF_CALL_RECVFROM 45
#define PF_CALL_SENDMSG 46
#define PF_CALL_RECVMSG 47
#define PF_CALL_MESSAGE(regs) ((regs)->si)
#define PF_CALL_COUNT(regs) ((regs)->dx)
#define PF_CALL_ADDRESS(regs) ((regs)->r8)
#define PF_CALL_LENGTH(regs) ((regs)->r9)
#elif defined(__TARGET_ARCH_arm64)
#define PF_CALL(regs) ((regs)->syscallno)
#define PF_CALL_READ 63
#define PF_CALL_WRITE 64
#define PF_CALL_READV 65
#define PF_CALL_WRITEV 66
#define PF_CALL_SENDTO 206
#define PF_CALL_RECVFROM 207
#define PF_CALL_SENDMSG 211
#define PF_CALL_RECVMSG 212
#define PF_CALL_MESSAGE(regs) ((regs)->regs[1])
#define PF_CALL_COUNT(regs) ((regs)->regs[2])
#define PF_CALL_ADDRESS(regs) ((regs)->regs[4])
#define PF_CALL_LENGTH(regs) ((regs)->regs[5])
#endif

/* struct sockaddr_in and sockaddr_in6 */
struct pf_sockaddr {
	__u16 family;
	__be16 port;
	__be32 v4;
	__u8 v6[16];
};

/* The head of struct user_msghdr */
struct pf_msghdr {
	__u64 name;
	__s32 name_length;
	__u32 pad0;
	__u64 parts;
	__u64 part_count;
};

/* struct iovec */
struct pf_part {
	__u64 base;
	__u64 length;
};

/* More parts of a message are not looked at. A power of two. */
#define PF_MESSAGE_PARTS 64

/*
 * Where the running process has the bytes of the call that it is in: fills `parts` and returns how many there are. 0 for
 * calls that have none in the process's memory (sendfile, splice), or whose arguments do not tell (io_uring, sendmmsg).
 */
static __always_inline __u32 parts_of_call(struct pf_part *parts)
{
#ifdef PF_CALL
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct pf_msghdr header = {};
	__u64 from, count;

	switch (PF_CALL(regs)) {
	case PF_CALL_READ:
	case PF_CALL_WRITE:
	case PF_CALL_SENDTO:
	case PF_CALL_RECVFROM:
		parts[0].base = PF_CALL_MESSAGE(regs);
		parts[0].length = PF_CALL_COUNT(regs);
		return 1;
	case PF_CALL_READV:
	case PF_CALL_WRITEV:
		from = PF_CALL_MESSAGE(regs);
		count = (__u32)PF_CALL_COUNT(regs);
		break;
	case PF_CALL_SENDMSG:
	case PF_CALL_RECVMSG:
		if (bpf_probe_read_user(&header, sizeof(header), (const void *)PF_CALL_MESSAGE(regs)))
			return 0;
		from = header.parts;
		count = header.part_count;
		break;
	default:
		return 0;
	}
	if (count > PF_MESSAGE_PARTS)
		count = PF_MESSAGE_PARTS;
	if (bpf_probe_read_user(parts, count * sizeof(*parts), (const void *)from))
		return 0;
	return count;
#else
	return 0;
#endif
}

/* Fills 16 bytes and a port; false when the call is another one (io_uring, sendmmsg), or gave no address. */
static __always_inline bool address_of_call(__u8 *address, __u16 *port)
{
#ifdef PF_CALL
	struct pf_sockaddr given = {};
	struct pf_msghdr header = {};
	struct pt_regs *regs;
	__u64 from, length;

	regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (PF_CALL(regs) == PF_CALL_SENDTO) {
		from = PF_CALL_ADDRESS(regs);
		length = PF_CALL_LENGTH(regs);
	} else if (PF_CALL(regs) == PF_CALL_SENDMSG) {
		if (bpf_probe_read_user(&header, sizeof(header), (const void *)PF_CALL_MESSAGE(regs)))
			return false;
		from = header.name;
		length = header.name_length;
	} else {
		return false;
	}
	if (!from || length < 8)
		return false;
	if (bpf_probe_read_user(&given, length < sizeof(given) ? 8 : sizeof(given), (const void *)from))
		return false;
	*port = bpf_ntohs(given.port);
	if (given.family == PF_AF_INET) {
		__u32 *words = (__u32 *)address;

		words[0] = 0;
		words[1] = 0;
		words[2] = bpf_htonl(0xffff);
		words[3] = given.v4;
		return true;
	}
	if (given.family == PF_AF_INET6 && length >= sizeof(given)) {
		__builtin_memcpy(address, given.v6, 16);
		return true;
	}
	return false;
#else
	return false;
#endif
}

#endif
