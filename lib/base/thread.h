/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads, and on which processors they begin: Linux likes to put a new or woken one beside somebody who has all of a
 * processor, and who then stands still until the next tick, for 4 ms with most kernels. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* Start a thread that all signals pass by: they stay with the caller's. False if none can be had. */
bool thread_start(pthread_t *thread, void *(*work)(void *), void *argument);
/* The same; it begins on the caller's processor, if it does not get another one that is idle: for whoever is going to
 * wait. */
bool thread_start_here(pthread_t *thread, void *(*work)(void *), void *argument);

/* A thread that is kept on one processor, and where it may run otherwise. */
struct thread_place {
	pid_t thread;
	cpu_set_t allowed;
	bool kept;
};

/* Keep a thread of this process on the caller's processor; 0 is the caller itself. */
void thread_keep_here(struct thread_place *place, pid_t thread);
void thread_let_go(const struct thread_place *place);

#endif
