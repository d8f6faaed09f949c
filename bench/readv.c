/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * readv PID ADDRESS MIB: the bandwidth of process_vm_readv(2) alone, in two threads with pieces of 4 MiB, in bytes a
 * second: what the kernel gives at most.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#define PIECE (4UL << 20)
#define THREADS 2

struct part {
	pid_t pid;
	uintptr_t start;
	size_t size;
	char *buffer;
	int failed;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *read_part(void *pointer)
{
	struct part *part = pointer;

	for (size_t at = 0; at < part->size && !part->failed; at += PIECE) {
		struct iovec local = { part->buffer, PIECE }, remote = { (void *)(part->start + at), PIECE };
		part->failed = process_vm_readv(part->pid, &local, 1, &remote, 1, 0) != (ssize_t)PIECE;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) << 20 : 0;
	struct part parts[THREADS];
	pthread_t threads[THREADS];
	int failed = 0;

	if (size == 0 || size % (THREADS * PIECE)) {
		fprintf(stderr, "usage: %s PID ADDRESS MIB (a multiple of 8)\n", *argv);
		return 2;
	}
	for (size_t i = 0; i < THREADS; i++) {
		parts[i] = (struct part){ .pid = (pid_t)strtol(argv[1], NULL, 10),
					  .start = strtoul(argv[2], NULL, 16) + i * (size / THREADS),
					  .size = size / THREADS,
					  .buffer = aligned_alloc(PIECE, PIECE) };
		if (!parts[i].buffer)
			return 1;
		memset(parts[i].buffer, 1, PIECE);
	}
	double begun = seconds();
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, read_part, &parts[i]))
			return 1;
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		failed |= parts[i].failed;
	}
	if (failed)
		return 1;
	printf("%.0f\n", (double)size / (seconds() - begun));
	return 0;
}
