/* Work of which it is known what it takes. */
#ifndef WORKS_H
#define WORKS_H

#include <stdatomic.h>
#include <stddef.h>

enum { PAGE = 4096 };

extern _Atomic unsigned long sink;

/* Computes until this thread has had so much CPU time. */
void burn_for(long ns);
/* Takes memory, writes to each page of it, and gives it back. */
void touch(size_t bytes);
/* Makes a file that is on the disk and not in memory. */
void make_cold_file(const char *path, long mebibytes);
void read_cold_file(const char *path);
void write_cold_file(const char *path, long mebibytes);

#endif
