/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/background.h"

#include <sched.h>
#include <stddef.h>
#include <sys/resource.h>

#include "base/thread.h"

/* One that is runnable at the same time gets ten times as much. */
#define NICER 10

struct work {
	void (*job)(void *);
	void *argument;
	cpu_set_t allowed; /* processors */
	bool known;
};

static void *work(void *pointer)
{
	const struct work *work = pointer;

	if (work->known)
		sched_setaffinity(0, sizeof work->allowed, &work->allowed);
	/* Of this thread alone, on Linux: setpriority(2), "C library/kernel differences". */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
	work->job(work->argument);
	return NULL;
}

/* The caller is going to wait, so that its processor becomes free. Linux may well take another one, and a thread that
 * has all of that stands still until the next tick, for 4 ms with most kernels.
 */
static bool start_here(pthread_t *thread, struct work *given)
{
	int here = sched_getcpu();
	cpu_set_t only;

	given->known =
		here >= 0 && here < CPU_SETSIZE && sched_getaffinity(0, sizeof given->allowed, &given->allowed) == 0;
	if (!given->known)
		return thread_start(thread, work, given);
	CPU_ZERO(&only);
	CPU_SET(here, &only);
	sched_setaffinity(0, sizeof only, &only);
	bool started = thread_start(thread, work, given);
	sched_setaffinity(0, sizeof given->allowed, &given->allowed);
	return started;
}

void background_do(void (*job)(void *), void *argument)
{
	struct work given = { .job = job, .argument = argument };
	pthread_t thread;

	if (start_here(&thread, &given))
		pthread_join(thread, NULL);
	else
		job(argument);
}
