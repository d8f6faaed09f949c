/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/background.h"

#include <stddef.h>
#include <sys/resource.h>

#include "base/thread.h"

/* One that is runnable at the same time gets ten times as much. */
#define NICER 10

struct work {
	void (*job)(void *);
	void *argument;
};

static void *work(void *pointer)
{
	const struct work *work = pointer;

	/* Of this thread alone, on Linux: setpriority(2), "C library/kernel differences". */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
	work->job(work->argument);
	return NULL;
}

void background_do(void (*job)(void *), void *argument)
{
	struct work given = { job, argument };
	pthread_t thread;

	if (thread_start(&thread, work, &given))
		pthread_join(thread, NULL);
	else
		job(argument);
}
