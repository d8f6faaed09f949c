/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * team [COUNT]: so many processes, each a child of the one before, hand a number on through shared memory, and note it
 * in private memory at `page` first: the first one has never less than the next, and at most one more than the last.
 */
#include <signal.h>

#include "victim.h"

#define MOST 16

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 3, me = 0;
	unsigned long *page = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	/* One page for each: what is read after the pause may be newer, and proves nothing. */
	unsigned long *shared = map_apart(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	pid_t pids[MOST] = { getpid() };
	int ends[2];

	*page = 0;
	if (count < 2 || count > MOST || pipe(ends))
		die("usage: team COUNT");
	fact("page", page);
	for (int i = 1; i < count && me == i - 1; i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			me = i;
			pids[0] = getpid();
			if (write(ends[1], pids, sizeof(*pids)) != sizeof(*pids))
				_exit(1);
		}
	}
	if (me == 0) {
		for (int i = 1; i < count; i++) {
			char key[16];

			if (read(ends[0], &pids[i], sizeof(*pids)) != sizeof(*pids))
				die("read");
			snprintf(key, sizeof(key), "pid%d", i);
			fact_number(key, pids[i]);
		}
		puts("ready");
		fflush(stdout);
		fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	}
	for (unsigned long number = 1;; number++) {
		unsigned long *before = &shared[me ? me - 1 : count - 1];
		char byte;

		while (__atomic_load_n(before, __ATOMIC_SEQ_CST) + !me < number) {
			usleep(1);
			if (me == 0 && read(STDIN_FILENO, &byte, 1) == 0)
				return 0;
		}
		__atomic_store_n(page, number, __ATOMIC_SEQ_CST);
		__atomic_store_n(&shared[me], number, __ATOMIC_SEQ_CST);
	}
}
