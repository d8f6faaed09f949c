/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads that a core file tells of: those of the freeze with their registers, or, live, what /proc shows. */
#ifndef SAVE_CORE_THREADS_H
#define SAVE_CORE_THREADS_H

#include "pidmem.h"
#include "stop/guard.h"

struct core_threads {
	const struct stopped_threads *list; /* never empty; the first thread of the process first */
	struct stopped_threads *own;        /* the same, if it is not the freeze's */
};
void core_threads_done(struct core_threads *threads);
#define AUTO_CORE_THREADS CLEANUP(core_threads_done) struct core_threads

/* Errors: PIDMEM_GONE, PIDMEM_ACCESS, PIDMEM_SYSTEM. */
int core_threads_get(struct core_threads *threads, struct pidmem_source *source, struct pidmem_error *error);

#endif
