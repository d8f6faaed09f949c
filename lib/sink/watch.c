/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sink/watch.h"

#include <time.h>

#include "base/clock.h"

/* Ask for cancel after so many bytes or steps. */
#define PROGRESS_BYTES (4ULL << 20)
#define PROGRESS_STEPS 4096
/* And after so long a wait. */
#define WAIT_US 100000

static int report(void *user)
{
	struct watch *watch = user;
	struct pidmem_progress *state = &watch->state;

	watch->reported = state->done;
	watch->steps = 0;
	state->expected = state->expected > state->done ? state->expected : state->done;
	return watch->progress(watch->user, state);
}

void watch_init(struct watch *watch, int (*progress)(void *user, const struct pidmem_progress *progress), void *user)
{
	*watch = (struct watch){ .progress = progress, .user = user };
}

void watch_file(struct watch *watch, struct file_sink *file)
{
	if (!watch->progress)
		return;
	file->interrupted = report;
	file->user = watch;
}

bool watch_ask(struct watch *watch)
{
	return watch->progress && report(watch) != 0;
}

void watch_hold_back(struct watch *watch, uint64_t rate)
{
	watch->rate = rate;
	watch->begun_us = now_us();
}

/* Until the bytes so far are no more than the rate allows: a signal ends a wait, so that it is asked whether to stop.
 */
static bool wait_for_rate(struct watch *watch)
{
	while (watch->rate) {
		double due = (double)watch->state.done / (double)watch->rate * 1e6;
		double early = due - (double)(now_us() - watch->begun_us);
		if (early < 1000)
			return false;
		uint64_t us = early < WAIT_US ? (uint64_t)early : WAIT_US;
		nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
		if (watch_ask(watch))
			return true;
	}
	return false;
}

bool watch_step(struct watch *watch, uint64_t read)
{
	watch->state.done += read;
	if (read && wait_for_rate(watch))
		return true;
	if (watch->state.done - watch->reported < PROGRESS_BYTES && ++watch->steps < PROGRESS_STEPS)
		return false;
	return watch_ask(watch);
}

bool watch_is_cancelled(struct watch *watch, const struct pidmem_span *span)
{
	return watch_step(watch, span->class_ == PIDMEM_READ ? span->size : 0);
}
