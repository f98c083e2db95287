/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The kernel types that the programs read, with only the members that they read. CO-RE moves each access to where the
 * running kernel has the member, so that no vmlinux.h is needed to build.
 */
#ifndef PROCFLOW_KERNEL_H
#define PROCFLOW_KERNEL_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
};

struct net_device {
	unsigned int mtu;
};

struct dst_entry {
	struct net_device *dev;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	struct dst_entry *sk_dst_cache;
	struct socket *sk_socket;
	int sk_err;
	__u16 sk_type;
	__u16 sk_protocol;
};

struct socket {
	struct sock *sk;
};

struct ipv6_pinfo {
	int mcast_oif;
};

struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	__be16 inet_sport;
	int mc_index;
	unsigned long inet_flags;
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
};

struct minmax_sample {
	__u32 t;
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u16 tcp_header_len;
	__u32 segs_in;
	__u32 data_segs_in;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 snd_nxt;
	__u32 segs_out;
	__u32 data_segs_out;
	__u64 bytes_sent;
	__u32 write_seq;
	__u64 tcp_mstamp;
	__u64 bytes_received;
	__u64 bytes_acked;
	__u64 bytes_retrans;
	__u8 ecn_flags;
	__u32 srtt_us;
	__u32 total_retrans;
	struct minmax rtt_min;
};

struct udp_sock {
	struct inet_sock inet;
	__u16 gso_size;
};

struct packet_sock {
	struct sock sk;
	int ifindex;
	__be16 num;
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct cred {
	kuid_t euid;
	kgid_t egid;
};

struct inode {
	unsigned long i_ino;
};

struct file {
	struct inode *f_inode;
};

struct percpu_counter {
	__s64 count;
	__s32 *counters;
};

struct mm_struct {
	struct percpu_counter rss_stat[4];
	unsigned long hiwater_rss; /* as of the last time that memory shrank */
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
};

/* Before kernel 6.2 */
struct mm_rss_stat {
	atomic64_t count[4];
};

struct mm_struct___6_1 {
	struct mm_rss_stat rss_stat;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_io_accounting {
	__u64 read_bytes;
	__u64 write_bytes;
};

struct nsproxy {
	struct net *net_ns;
};

struct list_head {
	struct list_head *next;
};

struct seqcount {
	unsigned int sequence;
};

typedef struct seqcount seqcount_t;

struct seqcount_spinlock {
	seqcount_t seqcount;
};

typedef struct {
	struct seqcount_spinlock seqcount;
} seqlock_t;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	seqlock_t stats_lock;
	int group_exit_code;
	unsigned int flags;
	__u64 utime;
	__u64 stime;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long min_flt;
	unsigned long maj_flt;
	unsigned long maxrss;
	struct task_io_accounting ioac;
	unsigned long long sum_sched_runtime;
};

struct timespec64 {
	__s64 tv_sec;
};

/* A CPU's run queue */
struct rq {
	__u64 clock;
	__u64 clock_task; /* without what interrupts and the host had, up to the next two */
	__u64 prev_irq_time;
	__u64 prev_steal_time_rq;
};

struct cfs_rq {
	struct rq *rq;
};

struct sched_entity {
	__u64 exec_start;
	__u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq;
};

struct task_delay_info {
	__u64 blkio_delay;
};

struct task_struct {
	unsigned int flags;
	int on_cpu;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct list_head thread_node;
	__u64 utime;
	__u64 stime;
	unsigned long nvcsw;
	unsigned long nivcsw;
	__u64 start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	const struct cred *cred;
	char comm[16];
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct task_io_accounting ioac;
	struct task_delay_info *delays;
};

struct linux_binprm {
	unsigned long exec;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r9;
	unsigned long r8;
	unsigned long dx;
	unsigned long si;
	unsigned long orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__s32 syscallno;
};
#endif

struct bpf_array {
	void *pptrs[0];
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

#define PF_AF_INET 2
#define PF_AF_INET6 10
#define PF_AF_PACKET 17

#define PF_IPPROTO_ICMP 1
#define PF_IPPROTO_TCP 6
#define PF_IPPROTO_UDP 17
#define PF_IPPROTO_ICMPV6 58
#define PF_IPPROTO_RAW 255

#define PF_SOCK_TYPE_STREAM 1
#define PF_SOCK_TYPE_DGRAM 2
#define PF_SOCK_TYPE_RAW 3

#define PF_MSG_PEEK 0x2
#define PF_MSG_TRUNC 0x20
#define PF_MSG_ERRQUEUE 0x2000

/* enum in include/linux/mm_types_task.h */
#define PF_MM_FILEPAGES 0
#define PF_MM_ANONPAGES 1
#define PF_MM_SHMEMPAGES 3

#define PF_KTHREAD 0x00200000       /* task_struct.flags, include/linux/sched.h */
#define PF_SIGNAL_GROUP_EXIT 0x4    /* signal_struct.flags, include/linux/sched/signal.h */
#define PF_SOCK_DONE_BIT 1          /* enum sock_flags: a FIN came, include/net/sock.h */
#define PF_INET_FLAGS_HDRINCL_BIT 12 /* inet_flags since kernel 6.6, include/net/inet_sock.h */


/* include/net/tcp_states.h */
#define PF_TCP_ESTABLISHED 1
#define PF_TCP_SYN_SENT 2
#define PF_TCP_SYN_RECV 3
#define PF_TCP_FIN_WAIT1 4
#define PF_TCP_FIN_WAIT2 5
#define PF_TCP_TIME_WAIT 6
#define PF_TCP_CLOSE 7
#define PF_TCP_CLOSE_WAIT 8
#define PF_TCP_LAST_ACK 9
#define PF_TCP_LISTEN 10
#define PF_TCP_CLOSING 11

#endif
