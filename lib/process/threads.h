/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of threads, from inside: for those who know of threads by other ways than /proc. */
#ifndef PROCESS_THREADS_H
#define PROCESS_THREADS_H

#include "base/cleanup.h"
#include "pidmem.h"

DEFINE_CLEANUP(cleanup_threads, struct pidmem_threads *, pidmem_threads_free)
#define AUTO_THREADS CLEANUP(cleanup_threads) struct pidmem_threads *

struct pidmem_threads *threads_new(void);
/* 0 or -ENOMEM. */
int threads_add(struct pidmem_threads *threads, const struct pidmem_thread *thread);
/* All are in: order them by their IDs. */
void threads_sort(struct pidmem_threads *threads);

#endif
