/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/background.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/thread.h"

/* One that is runnable at the same time gets thirty times as much: who needs all of a processor loses one tick in
 * thirty to it. With 10 it is one in ten, and the slow requests of a busy redis took twice as long.
 */
#define NICER 15

struct work {
	void (*job)(void *);
	void *argument;
	int done; /* a pipe, or -1 */
};

static void *work(void *pointer)
{
	struct work *work = pointer;

	/* Of this thread alone, on Linux: setpriority(2), "C library/kernel differences". */
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICER);
	work->job(work->argument);
	ssize_t told = work->done < 0 ? 0 : write(work->done, "", 1);
	(void)told; /* whoever waits for it waits for the end of this thread as well */
	return NULL;
}

/* Who writes to a pipe is about to wait himself, says the kernel (WF_SYNC), and wakes the reader on this processor,
 * which becomes free; else it might wake beside somebody who needs all of another one. */
static void wait_for_it(int pipe)
{
	char byte;

	while (pipe >= 0 && read(pipe, &byte, 1) < 0 && errno == EINTR)
		;
}

void background_do(void (*job)(void *), void *argument)
{
	int ends[2] = { -1, -1 };
	pthread_t thread;
	bool piped = pipe2(ends, O_CLOEXEC) == 0;
	AUTO_FD from = piped ? ends[0] : -1;
	AUTO_FD to = piped ? ends[1] : -1;
	struct work given = { job, argument, to };

	if (!thread_start_here(&thread, work, &given)) {
		job(argument);
		return;
	}
	wait_for_it(from);
	pthread_join(thread, NULL);
}
