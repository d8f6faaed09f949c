/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * latency SOCKET KEYS: a client of redis that sets and gets keys of that range, one after the other, and keeps how long
 * each took. On standard input:
 *   reset    forget all so far  -> ok
 *   report   since then         -> number of requests, and in nanoseconds: median, 99.9th percentile, longest
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST (1UL << 24)

static uint32_t *taken; /* in nanoseconds; 4.29 s is "very long" */
static size_t count;
static unsigned long keys;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* The answers are one line, or two: the length of the value, and the value. */
static void ask(int server, const char *request, size_t size)
{
	char answer[65536];
	size_t got = 0;

	if (write(server, request, size) != (ssize_t)size)
		exit(1);
	for (;;) {
		ssize_t more = read(server, answer + got, sizeof(answer) - got);

		if (more <= 0)
			exit(1);
		got += (size_t)more;
		char *end = memchr(answer, '\n', got);

		if (end && (answer[0] != '$' || answer[1] == '-' ||
			    got >= (size_t)(end + 1 - answer) + strtoul(answer + 1, NULL, 10) + 2))
			return;
	}
}

static void *work(void *server)
{
	static char request[2048];
	uint64_t random = 7;

	for (;;) {
		int length;

		random = random * 6364136223846793005 + 1442695040888963407;
		if (random >> 63)
			length = snprintf(request, sizeof(request), "SET key:%lu %0900lu\r\n",
					  (unsigned long)(random >> 20) % keys, (unsigned long)random);
		else
			length = snprintf(request, sizeof(request), "GET key:%lu\r\n",
					  (unsigned long)(random >> 20) % keys);
		uint64_t begun = now();
		ask(*(int *)server, request, (size_t)length);
		uint64_t time = now() - begun;
		pthread_mutex_lock(&lock);
		if (count < MOST)
			taken[count++] = time < UINT32_MAX ? (uint32_t)time : UINT32_MAX;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static int compare(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

	return a < b ? -1 : a > b;
}

static void report(void)
{
	pthread_mutex_lock(&lock);
	qsort(taken, count, sizeof(*taken), compare);
	if (count == 0)
		puts("0 0 0 0");
	else
		printf("%zu %u %u %u\n", count, taken[count / 2], taken[count - 1 - count / 1000], taken[count - 1]);
	count = 0;
	pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t thread;
	char line[16];

	if (argc < 3 || !(keys = strtoul(argv[2], NULL, 10)) || !(taken = calloc(MOST, sizeof(*taken)))) {
		fprintf(stderr, "usage: %s SOCKET KEYS\n", *argv);
		return 2;
	}
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", argv[1]);
	if (connect(server, (void *)&name, sizeof(name)) || pthread_create(&thread, NULL, work, &server)) {
		perror(argv[1]);
		return 2;
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "report", 6)) {
			report();
		} else {
			pthread_mutex_lock(&lock);
			count = 0;
			pthread_mutex_unlock(&lock);
			puts("ok");
		}
		fflush(stdout);
	}
	return 0;
}
