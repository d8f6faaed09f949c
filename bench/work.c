/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * work MIB: so much resident memory, and a thread that is always at work: it reads all of it in turn, and writes to
 * some of it. On standard input `count`: how many pages it has worked on so far.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096UL
#define WRITTEN (16UL << 20) /* the part that is written to, again and again */

static size_t size;
static _Atomic uint64_t done;

static void *work(void *pointer)
{
	uint64_t *words = pointer, sum = 0;

	for (size_t page = 0;; page = (page + 1) % (size / PAGE)) {
		uint64_t *at = words + page * (PAGE / sizeof(*words));
		for (size_t i = 0; i < PAGE / sizeof(*words); i++)
			sum += at[i];
		words[(sum + page * PAGE) % (WRITTEN / sizeof(*words))] = sum;
		atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t *words;
	pthread_t thread;
	char line[16];

	size = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	words = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (size < WRITTEN || words == MAP_FAILED) {
		fprintf(stderr, "usage: %s MIB (16 at least)\n", *argv);
		return 2;
	}
	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = i * 0x9e3779b97f4a7c15;
	if (pthread_create(&thread, NULL, work, words))
		return 1;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%llu\n", (unsigned long long)atomic_load(&done));
		fflush(stdout);
	}
	return 0;
}
