/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/watch.h"

/* Ask for cancel after so many bytes or spans. */
#define PROGRESS_BYTES (4ULL << 20)
#define PROGRESS_SPANS 4096

static int report(void *user)
{
	struct watch *watch = user;

	watch->reported = watch->state.done;
	watch->spans = 0;
	return watch->progress(watch->user, &watch->state);
}

void watch_init(struct watch *watch, int (*progress)(void *user, const struct pidmem_progress *progress), void *user,
		struct file_sink *file)
{
	*watch = (struct watch){ .progress = progress, .user = user };
	if (!progress)
		return;
	file->interrupted = report;
	file->user = watch;
}

bool watch_is_cancelled(struct watch *watch, const struct pidmem_span *span)
{
	if (!watch->progress)
		return false;
	watch->state.done += span->class_ == PIDMEM_READ ? span->size : 0;
	if (watch->state.done - watch->reported < PROGRESS_BYTES && ++watch->spans < PROGRESS_SPANS)
		return false;
	return report(watch) != 0;
}
