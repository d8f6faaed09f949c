/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/background.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/thread.h"

/* One that is runnable at the same time gets thirty times as much: who needs all of a processor loses one tick in
 * thirty to it. With 10 it is one in ten, and the slow requests of a busy redis took twice as long.
 */
#define NICER 15
/* Whoever has a shorter slice takes the processor at once when he wakes (PREEMPT_SHORT in kernel/sched/fair.c, Linux
 * 6.12), not at the next tick: slow requests of redis became a third. So it is more than what the kernel gives, up to
 * 3 ms, but not much: before 6.17, one who needs all of a processor waits for all of it. SCHED_IDLE is no better, and
 * such threads can starve while they hold locks of the process that they look at; nobody without a privilege could lift
 * them again. */
#define SLICE_NS 8000000ULL

struct work {
	void (*job)(void *);
	void *argument;
	int done; /* a pipe, which the thread closes, or -1 */
};

/* Who writes to a pipe is about to wait himself, says the kernel (WF_SYNC), and wakes the reader on this processor,
 * which becomes free; else it might wake beside somebody who needs all of another one. If that fails, the reader sees
 * the end of the pipe. */
static void tell(int pipe)
{
	ssize_t told;

	if (pipe < 0)
		return;
	do
		told = write(pipe, "", 1);
	while (told < 0 && errno == EINTR);
	close(pipe);
}

/* Of this thread alone, on Linux: setpriority(2), "C library/kernel differences". Who runs on batch takes no processor
 * from others by waking. Who has been put lower yet stays there. */
static void step_back(void)
{
	struct scheduling lower = {
		.size = sizeof lower,
		.policy = SCHED_BATCH,
		.nice = getpriority(PRIO_PROCESS, 0) + NICER,
		.runtime = SLICE_NS,
	};

	if (sched_getscheduler(0) == SCHED_IDLE || syscall(SYS_sched_setattr, 0, &lower, 0) < 0)
		setpriority(PRIO_PROCESS, 0, lower.nice);
}

static void *work(void *pointer)
{
	const struct work *work = pointer;

	step_back();
	work->job(work->argument);
	tell(work->done);
	return NULL;
}

static void wait_for_it(int pipe)
{
	char byte;

	while (pipe >= 0 && read(pipe, &byte, 1) < 0 && errno == EINTR)
		;
}

void background_do(void (*job)(void *), void *argument)
{
	int ends[2];
	pthread_t thread;
	bool piped = pipe2(ends, O_CLOEXEC) == 0;
	AUTO_FD from = piped ? ends[0] : -1;
	struct work given = { job, argument, piped ? ends[1] : -1 };

	if (thread_start_here(&thread, work, &given)) {
		wait_for_it(from);
		pthread_join(thread, NULL);
	} else {
		cleanup_fd(&given.done);
		job(argument);
	}
}
