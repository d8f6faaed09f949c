/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling the caller of a long call how far it is, and being told to stop. */
#ifndef SINK_WATCH_H
#define SINK_WATCH_H

#include "pidmem.h"
#include "sink/file.h"

/* Zeros: nobody watches. */
struct watch {
	int (*progress)(void *user, const struct pidmem_progress *progress);
	void *user;
	struct pidmem_progress state;
	uint64_t reported;
	unsigned steps;
	uint64_t rate, begun_us; /* bytes a second, 0: any; since when */
};

/* `progress` may be NULL. */
void watch_init(struct watch *watch, int (*progress)(void *user, const struct pidmem_progress *progress), void *user);
/* Signals that interrupt writing into this file ask as well. */
void watch_file(struct watch *watch, struct file_sink *file);

/* Let no more than so many bytes a second pass, from now on. */
void watch_hold_back(struct watch *watch, uint64_t rate);

/* Ask whether to stop. */
bool watch_ask(struct watch *watch);
/* Count a step, and the bytes that it read; ask now and then. Waits if they were too many for the rate. */
bool watch_step(struct watch *watch, uint64_t read);
/* The same for a span. */
bool watch_is_cancelled(struct watch *watch, const struct pidmem_span *span);

#endif
