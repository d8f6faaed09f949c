/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Long work beside somebody who must not notice it. */
#ifndef PROCESS_BACKGROUND_H
#define PROCESS_BACKGROUND_H

#include <stdint.h>

/* struct sched_attr of sched_setattr(2): headers of Linux and of the C library that have it cannot both be included
 * everywhere. */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/*
 * Do a job by a thread of lower priority than the caller's (SCHED_BATCH and a nice value of 15 more, sched(7)), and
 * wait for it; threads that it starts have that priority as well. The priority of the caller stays what it is: to raise
 * it again takes a privilege. Where no thread can be had the caller does it itself. All signals stay with the caller.
 * The thread begins on the caller's processor, and the caller goes on where the thread was, as far as Linux can be
 * brought to it: no other thread has to give up its processor.
 */
void background_do(void (*job)(void *), void *argument);

#endif
