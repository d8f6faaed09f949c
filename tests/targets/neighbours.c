/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * neighbours MIB: this process and a child write numbers in order to pages of the same memory (a memfd of that size):
 * this one to `solo0`..., some of them in private memory of its own; the child, `child`, to `shared0`...
 */
#include <signal.h>

#include "victim.h"

#define CHAIN 12

static unsigned long *places[2][CHAIN];

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * MIB;
	int memory = memfd_create("neighbours", MFD_CLOEXEC);
	char *shared, *private = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), key[16], byte;
	unsigned long *seen;
	pid_t child;

	if (memory < 0 || ftruncate(memory, (off_t)size))
		die("memfd");
	shared = map_apart(size, PROT_READ | PROT_WRITE, MAP_SHARED, memory);
	memset(private, 0, size);
	memset(shared, 0, size);
	for (int i = 0; i < CHAIN; i++) {
		char *base = i % 2 ? private : shared;

		places[0][i] = (void *)(base + size / CHAIN * (size_t)i / PAGE * PAGE);
		places[1][i] = (void *)(shared + size / CHAIN * (size_t)i / PAGE * PAGE + PAGE);
	}
	for (int own = 0; own < 2; own++)
		for (int i = 0; i < CHAIN; i++) {
			snprintf(key, sizeof(key), "%s%d", own ? "shared" : "solo", i);
			fact(key, places[own][i]);
		}
	fflush(stdout);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	seen = places[1][CHAIN - 1];
	if (child > 0) {
		while (__atomic_load_n(seen, __ATOMIC_SEQ_CST) < 10)
			usleep(100);
		fact_number("child", child);
		puts("ready");
		fflush(stdout);
		fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	}
	for (unsigned long number = 10;; number++) {
		for (int i = 0; i < CHAIN; i++)
			__atomic_store_n(places[child == 0][i], number, __ATOMIC_SEQ_CST);
		if (child > 0 && number % 64 == 0 && read(STDIN_FILENO, &byte, 1) == 0)
			return 0;
	}
}
