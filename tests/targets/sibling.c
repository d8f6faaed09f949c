/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sibling MIB: two processes with one address space (CLONE_VM, no threads of each other), and so much memory. The
 * second one has the kernel write to memory that was never touched: a page fault that is not resolved is an error
 * there.
 */
#include <sched.h>
#include <sys/prctl.h>

#include "worker.h"

#define FRESH (64 * MIB)

static char *fresh;
static unsigned long calls, failures;

static int read_zeros(void *unused)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t at = 0;; at = (at + PAGE) % FRESH) {
		if (at == 0)
			madvise(fresh, FRESH, MADV_DONTNEED);
		if (read(zero, fresh + at, PAGE) != PAGE)
			LATER(failures);
		LATER(calls);
	}
	return 0;
}

static void do_sibling(struct worker *self)
{
	unsigned long before = SEEN(calls);

	while (SEEN(calls) == before)
		sched_yield();
	expect(self, !SEEN(failures), "%lu of %lu calls failed", SEEN(failures), SEEN(calls));
}

int main(int argc, char **argv)
{
	static struct worker workers[] = { { .name = "sibling", .round = do_sibling } };
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) * MIB : MIB;
	char *stack = map_apart(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	char *region = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	fresh = map_apart(FRESH, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(region, size / PAGE, 27);
	if (clone(read_zeros, stack + 64 * PAGE, CLONE_VM | SIGCHLD, NULL) < 0)
		die("clone");
	start_workers(workers, 1);
	fact("region", region);
	return answer(workers, 1);
}
