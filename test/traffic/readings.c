#include "readings.h"
#include "traffic.h"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/taskstats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct request {
	struct nlmsghdr netlink;
	struct genlmsghdr generic;
	char attributes[64];
};

static int netlink = -1;
static uint16_t family;
static int io_file = -1, memory_file = -1;
static char buffer[16384] __attribute__((aligned(8)));

static const struct nlattr *attribute(const void *from, size_t bytes, int type)
{
	const char *at = from;

	while (bytes >= sizeof(struct nlattr)) {
		const struct nlattr *each = (const void *)at;
		size_t step = NLA_ALIGN(each->nla_len);

		if ((each->nla_type & NLA_TYPE_MASK) == type)
			return each;
		if (step == 0 || step > bytes)
			break;
		at += step;
		bytes -= step;
	}
	return NULL;
}

/* Sends one attribute, and gives the attributes of the answer; NULL when there is none. */
static const void *ask(uint16_t type, uint8_t command, uint16_t name, const void *value, size_t size, size_t *bytes)
{
	struct request request = {
		.netlink = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST},
		.generic = {.cmd = command, .version = 1},
	};
	struct nlattr *given = (struct nlattr *)request.attributes;
	const struct nlmsghdr *answer = (const void *)buffer;
	ssize_t got;

	given->nla_type = name;
	given->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy((char *)given + NLA_HDRLEN, value, size);
	request.netlink.nlmsg_len = (uint32_t)(NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(given->nla_len));
	checked((int)send(netlink, &request, request.netlink.nlmsg_len, 0), "send to generic netlink");
	got = recv(netlink, buffer, sizeof(buffer), 0);
	if (got < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) || answer->nlmsg_type == NLMSG_ERROR)
		return NULL;
	*bytes = (size_t)got - NLMSG_LENGTH(GENL_HDRLEN);
	return buffer + NLMSG_LENGTH(GENL_HDRLEN);
}

static int64_t io_wait(void)
{
	uint32_t pid = (uint32_t)getpid();
	size_t bytes;
	const void *answer = ask(family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_TGID, &pid, sizeof(pid), &bytes);
	const struct nlattr *group = answer ? attribute(answer, bytes, TASKSTATS_TYPE_AGGR_TGID) : NULL;
	const struct nlattr *stats;
	struct taskstats copy;

	if (!group)
		fail("taskstats");
	stats = attribute((const char *)group + NLA_HDRLEN, group->nla_len - NLA_HDRLEN, TASKSTATS_TYPE_STATS);
	if (!stats)
		fail("taskstats");
	memcpy(&copy, (const char *)stats + NLA_HDRLEN, sizeof(copy));
	return (int64_t)copy.blkio_delay_total;
}

/* The number after `name` in a file of lines; `unit` is what one of it is. */
static int64_t member(int file, const char *name, int64_t unit)
{
	ssize_t got = pread(file, buffer, sizeof(buffer) - 1, 0);
	const char *at;

	if (got <= 0)
		fail("pread");
	buffer[got] = '\0';
	at = strstr(buffer, name);
	if (!at)
		fail(name);
	return strtoll(at + strlen(name), NULL, 10) * unit;
}

void readings_open(void)
{
	static const char name[] = "TASKSTATS";
	const struct nlattr *id;
	const void *answer;
	size_t bytes;

	netlink = checked(socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), "socket");
	answer = ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, name, sizeof(name), &bytes);
	id = answer ? attribute(answer, bytes, CTRL_ATTR_FAMILY_ID) : NULL;
	if (!id)
		unsupported("no taskstats");
	memcpy(&family, (const char *)id + NLA_HDRLEN, sizeof(family));
	io_file = checked(open("/proc/self/io", O_RDONLY), "/proc/self/io");
	memory_file = checked(open("/proc/self/smaps_rollup", O_RDONLY), "/proc/self/smaps_rollup");
	/* Its pages are there from now on. */
	read_self(1);
	read_self(0);
}

static int64_t cpu_time(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void set_cpu(struct readings *to)
{
	to->cpu_ns = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
	to->thread_cpu_ns = cpu_time(CLOCK_THREAD_CPUTIME_ID);
}

struct readings read_cpu(void)
{
	struct readings now = {0};

	set_cpu(&now);
	return now;
}

struct readings read_self(int opens)
{
	struct readings now = {0};
	struct rusage usage;

	if (!opens)
		set_cpu(&now);
	checked(getrusage(RUSAGE_SELF, &usage), "getrusage");
	now.minor_faults = usage.ru_minflt;
	now.major_faults = usage.ru_majflt;
	now.voluntary_switches = usage.ru_nvcsw;
	now.involuntary_switches = usage.ru_nivcsw;
	now.io_wait_ns = io_wait();
	now.read_bytes = member(io_file, "read_bytes: ", 1);
	now.written_bytes = member(io_file, "\nwrite_bytes: ", 1);
	now.memory_bytes = member(memory_file, "Rss:", 1024);
	if (opens)
		set_cpu(&now);
	return now;
}

void print_spent(const struct readings *from, const struct readings *to)
{
	printf("\"cpuNs\":%ld,\"threadCpuNs\":%ld,\"minorFaults\":%ld,\"majorFaults\":%ld,\"voluntarySwitches\":%ld,"
	       "\"involuntarySwitches\":%ld,\"ioWaitNs\":%ld,\"readBytes\":%ld,\"writtenBytes\":%ld,"
	       "\"memoryBefore\":%ld,\"memoryAfter\":%ld",
	       to->cpu_ns - from->cpu_ns, to->thread_cpu_ns - from->thread_cpu_ns,
	       to->minor_faults - from->minor_faults, to->major_faults - from->major_faults,
	       to->voluntary_switches - from->voluntary_switches, to->involuntary_switches - from->involuntary_switches,
	       to->io_wait_ns - from->io_wait_ns, to->read_bytes - from->read_bytes,
	       to->written_bytes - from->written_bytes, from->memory_bytes, to->memory_bytes);
}
