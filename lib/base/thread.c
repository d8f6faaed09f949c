/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

bool thread_start(pthread_t *thread, void *(*work)(void *), void *argument)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int result = pthread_create(thread, NULL, work, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result == 0;
}

struct start {
	void *(*work)(void *);
	void *argument;
	int processor;
};

/* The thread does it to itself: the kernel remembers a mask that was set, beyond changes of the cpuset, and the
 * caller's is none of our business. */
static void go_to(int processor)
{
	cpu_set_t allowed, only;

	if (processor < 0 || processor >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) < 0)
		return;
	CPU_ZERO(&only);
	CPU_SET(processor, &only);
	if (sched_setaffinity(0, sizeof only, &only) == 0)
		sched_setaffinity(0, sizeof allowed, &allowed);
}

static void *begin(void *pointer)
{
	struct start start = *(struct start *)pointer;

	free(pointer);
	go_to(start.processor);
	return start.work(start.argument);
}

bool thread_start_here(pthread_t *thread, void *(*work)(void *), void *argument)
{
	struct start *start = malloc(sizeof *start);

	if (!start)
		return false;
	*start = (struct start){ work, argument, sched_getcpu() };
	if (thread_start(thread, begin, start))
		return true;
	free(start);
	return false;
}
