/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/background.h"

#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/thread.h"

/* One that is runnable at the same time gets thirty times as much: who has nearly all of a processor loses a tick of it
 * to this one in thirty. With 10, one in ten, the slow requests of a busy redis took twice as long.
 */
#define NICER 15

struct work {
	void (*job)(void *);
	void *argument;
	pid_t caller;
	struct thread_place end; /* of the caller */
};

static void *work(void *pointer)
{
	struct work *work = pointer;

	/* Of this thread alone, on Linux: setpriority(2), "C library/kernel differences". */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
	work->job(work->argument);
	thread_keep_here(&work->end, work->caller); /* this processor becomes free now */
	return NULL;
}

void background_do(void (*job)(void *), void *argument)
{
	struct work given = { .job = job, .argument = argument, .caller = gettid() };
	pthread_t thread;

	if (thread_start_here(&thread, work, &given)) {
		pthread_join(thread, NULL);
		thread_let_go(&given.end);
	} else {
		job(argument);
	}
}
