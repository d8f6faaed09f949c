/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of our own, and where they begin. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Start a thread that all signals pass by: they stay with the caller's. False if none can be had. */
bool thread_start(pthread_t *thread, void *(*work)(void *), void *argument);
/*
 * The same for a caller that is going to wait for it: it goes to the caller's processor first, where that is possible.
 * Linux looks for the least busy one (sched_balance_find_dst_cpu() in kernel/sched/fair.c), which may be that of
 * somebody who needs all of it, and who then stands still until the next tick, for 4 ms with most kernels.
 */
bool thread_start_here(pthread_t *thread, void *(*work)(void *), void *argument);

#endif
