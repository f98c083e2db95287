/*
 * Whether the kernel takes BPF programs and maps from us, asked without the agent. Exits with 0, or with EXIT_UNSUPPORTED and
 * the reason on standard error.
 */
#include "traffic.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

int main(void)
{
	/* r0 = 1; exit */
	struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr load = {0}, map = {0};

	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		unsupported("/sys/kernel/btf/vmlinux");
	map.map_type = BPF_MAP_TYPE_RINGBUF;
	map.max_entries = 4096;
	if (bpf(BPF_MAP_CREATE, &map) < 0)
		unsupported("a BPF ring buffer");
	load.prog_type = BPF_PROG_TYPE_CGROUP_SKB;
	load.insns = (uint64_t)(uintptr_t)program;
	load.insn_cnt = sizeof(program) / sizeof(program[0]);
	load.license = (uint64_t)(uintptr_t)"GPL";
	if (bpf(BPF_PROG_LOAD, &load) < 0)
		unsupported("a BPF program");
	return 0;
}
