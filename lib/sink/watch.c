/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sink/watch.h"

/* Ask for cancel after so many bytes or steps. */
#define PROGRESS_BYTES (4ULL << 20)
#define PROGRESS_STEPS 4096

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

bool watch_step(struct watch *watch, uint64_t read)
{
	watch->state.done += read;
	if (watch->state.done - watch->reported < PROGRESS_BYTES && ++watch->steps < PROGRESS_STEPS)
		return false;
	return watch_ask(watch);
}

bool watch_is_cancelled(struct watch *watch, const struct pidmem_span *span)
{
	return watch_step(watch, span->class_ == PIDMEM_READ ? span->size : 0);
}
