#define _GNU_SOURCE
#include "works.h"
#include "traffic.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

_Atomic unsigned long sink;

void burn_for(long ns)
{
	struct timespec start, now;
	unsigned long count = 0;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do {
		for (int i = 0; i < 2000; i++)
			count += (unsigned long)i * i;
		sink += count;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000l + now.tv_nsec - start.tv_nsec < ns);
}

void touch(size_t bytes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = 1;
	munmap(memory, bytes);
}

static char *chunk(void)
{
	char *memory = aligned_alloc(PAGE, CHUNK);

	if (!memory)
		fail("aligned_alloc");
	memset(memory, 7, CHUNK);
	return memory;
}

void make_cold_file(const char *path, long mebibytes)
{
	int fd = checked(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), path);
	char *memory = chunk();

	for (long i = 0; i < mebibytes; i++) {
		if (write(fd, memory, CHUNK) != CHUNK)
			fail("write");
	}
	checked(fsync(fd), "fsync");
	checked(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
	free(memory);
	close(fd);
}

void read_cold_file(const char *path)
{
	int fd = checked(open(path, O_RDONLY | O_DIRECT), path);
	char *memory = chunk();

	while (checked((int)read(fd, memory, CHUNK), "read") > 0)
		;
	free(memory);
	close(fd);
}

void write_cold_file(const char *path, long mebibytes)
{
	int fd = checked(open(path, O_RDWR | O_DIRECT), path);
	char *memory = chunk();

	for (long i = 0; i < mebibytes; i++) {
		if (write(fd, memory, CHUNK) != CHUNK)
			fail("write");
	}
	free(memory);
	close(fd);
}
