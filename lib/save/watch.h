/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the caller of a long call how far it is, and being told to stop. */
#ifndef SAVE_WATCH_H
#define SAVE_WATCH_H

#include "pidmem.h"
#include "sink/file.h"

/* Zeros: nobody watches. */
struct watch {
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
	struct pidmem_progress state;
	uint64_t reported;
	unsigned spans;
};

/* `progress` may be NULL. Signals that interrupt writing into `file` ask it as well. */
void watch_init(struct watch *watch, int (*progress)(void *user, const struct pidmem_progress *progress), void *user,
		struct file_sink *file);

/* Count a span, ask now and then. */
bool watch_is_cancelled(struct watch *watch, const struct pidmem_span *span);

#endif
