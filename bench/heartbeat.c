/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heartbeat MIB [huge|small [THREADS [RATE]]]: so much resident memory in huge or 4 KiB pages, so many threads that
 * wait, one that writes to RATE MiB/s of pages here and there, and one that reads the clock all the time and keeps the
 * longest gap between two readings: how long it was stopped. It has the highest priority, if it may, and a gap in which
 * it did not leave its processor does not count: what it sees are stops, and not that others take their turns, or a
 * hypervisor the processor. On standard input:
 *
 *   reset   forget the gaps so far           -> ok
 *   gap     the longest gap since then       -> nanoseconds
 *   fork    that thread calls fork(2) itself -> the longest gap around it, in nanoseconds
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum task { BEAT, RESET, FORK };

static uint64_t longest;
static enum task task;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* How often this thread has left its processor. */
static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

/* Whoever else was there in between was there for as long as this. */
#define SWITCH_LEAST 2000

/* Note a gap, of that length in nanoseconds, if it was off its processor then or did it itself. */
static void note(uint64_t gap, bool own)
{
	static long known;
	long count;

	if (gap < SWITCH_LEAST && !own)
		return;
	count = switches();
	if ((own || count != known) && gap > longest)
		__atomic_store_n(&longest, gap, __ATOMIC_RELEASE);
	known = count;
}

static void *beat(void *unused)
{
	setpriority(PRIO_PROCESS, 0, -20); /* of this thread alone */
	uint64_t before = now();

	for (;;) {
		enum task asked = __atomic_load_n(&task, __ATOMIC_ACQUIRE);
		pid_t child = -1;

		if (asked == FORK) {
			child = fork();
			if (child == 0)
				_exit(0);
		}
		uint64_t time = now();
		if (asked == RESET)
			__atomic_store_n(&longest, 0, __ATOMIC_RELEASE);
		else
			note(time - before, child > 0);
		if (child > 0)
			waitpid(child, NULL, 0);
		before = child > 0 ? now() : time;
		if (asked != BEAT)
			__atomic_store_n(&task, BEAT, __ATOMIC_RELEASE);
	}
	return unused;
}

static void ask(enum task what)
{
	__atomic_store_n(&task, what, __ATOMIC_RELEASE);
	while (__atomic_load_n(&task, __ATOMIC_ACQUIRE) != BEAT)
		usleep(100);
}

static void *wait_for_ever(void *unused)
{
	pthread_mutex_lock(&held);
	return unused;
}

static char *region;
static size_t region_size, rate;

/* A word in so many pages in each millisecond: what counts is how many pages are no longer what they were. */
static void *write_pages(void *unused)
{
	uint64_t begun = now(), pages = 0, random = 1;

	for (;;) {
		uint64_t due = (now() - begun) / 1000 * rate * 256 / 1000000;

		for (; pages < due; pages++) {
			random = random * 6364136223846793005 + 1442695040888963407;
			*(volatile uint64_t *)(region + (random >> 20) % (region_size / 4096) * 4096) = random;
		}
		usleep(500);
	}
	return unused;
}

static void fill(size_t size, bool huge)
{
	region_size = size;
	region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED)
		exit(2);
	madvise(region, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = (at + 1) * 0x9e3779b97f4a7c15;
		memcpy(region + at, &word, sizeof word);
	}
}

static bool start(void *(*body)(void *), size_t count)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64UL * 1024);
	while (count-- > 0)
		if (pthread_create(&thread, &attributes, body, NULL))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	char line[16];

	if (size == 0) {
		fprintf(stderr, "usage: %s MIB [huge|small [THREADS [RATE]]]\n", *argv);
		return 2;
	}
	fill(size, argc > 2 && !strcmp(argv[2], "huge"));
	pthread_mutex_lock(&held);
	rate = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	if (!start(beat, 1) || !start(wait_for_ever, argc > 3 ? strtoul(argv[3], NULL, 10) : 0) ||
	    !start(write_pages, rate > 0)) {
		fprintf(stderr, "%s: no more threads\n", *argv);
		return 2;
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		if (!strncmp(line, "gap", 3)) {
			printf("%lu\n", (unsigned long)__atomic_load_n(&longest, __ATOMIC_ACQUIRE));
		} else if (!strncmp(line, "fork", 4)) {
			ask(RESET);
			ask(FORK);
			printf("%lu\n", (unsigned long)__atomic_load_n(&longest, __ATOMIC_ACQUIRE));
		} else {
			ask(RESET);
			puts("ok");
		}
		fflush(stdout);
	}
	return 0;
}
