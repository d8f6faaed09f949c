/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/background.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

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
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int result = pthread_create(&thread, NULL, work, &given);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result == 0)
		pthread_join(thread, NULL);
	else
		job(argument);
}
