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
#define PF_CALL_SENDTO 44
#define PF_CALL_SENDMSG 46
#define PF_CALL_MESSAGE(regs) ((regs)->si)
#define PF_CALL_ADDRESS(regs) ((regs)->r8)
#define PF_CALL_LENGTH(regs) ((regs)->r9)
#elif defined(__TARGET_ARCH_arm64)
#define PF_CALL(regs) ((regs)->syscallno)
#define PF_CALL_SENDTO 206
#define PF_CALL_SENDMSG 211
#define PF_CALL_MESSAGE(regs) ((regs)->regs[1])
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
};

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
