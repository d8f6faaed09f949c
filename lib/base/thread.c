/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/thread.h"

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
	struct thread_place place;
};

/* Where it may run is inherited. */
static void *begin(void *pointer)
{
	struct start start = *(struct start *)pointer;

	free(pointer);
	thread_let_go(&start.place);
	return start.work(start.argument);
}

bool thread_start_here(pthread_t *thread, void *(*work)(void *), void *argument)
{
	struct start *start = malloc(sizeof *start);
	struct thread_place place;

	if (!start)
		return false;
	thread_keep_here(&place, 0);
	*start = (struct start){ work, argument, place };
	bool started = thread_start(thread, begin, start);
	thread_let_go(&place);
	if (!started)
		free(start);
	return started;
}

void thread_keep_here(struct thread_place *place, pid_t thread)
{
	int here = sched_getcpu();
	cpu_set_t only;

	*place = (struct thread_place){ .thread = thread };
	if (here < 0 || here >= CPU_SETSIZE || sched_getaffinity(thread, sizeof place->allowed, &place->allowed) < 0)
		return;
	CPU_ZERO(&only);
	CPU_SET(here, &only);
	place->kept = sched_setaffinity(thread, sizeof only, &only) == 0;
}

void thread_let_go(const struct thread_place *place)
{
	if (place->kept)
		sched_setaffinity(place->thread, sizeof place->allowed, &place->allowed);
}
