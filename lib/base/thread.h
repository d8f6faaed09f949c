/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* Start a thread that all signals pass by: they stay with the caller's. False if none can be had. */
static inline bool thread_start(pthread_t *thread, void *(*work)(void *), void *argument)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int result = pthread_create(thread, NULL, work, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result == 0;
}

#endif
