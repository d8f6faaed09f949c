/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/worker.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/thread.h"

struct worker {
	pthread_t thread;
	pid_t owner;       /* the process that has the thread: fork(2) copies the calling thread alone */
	cpu_set_t allowed; /* processors; none if that is not known */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*job)(void *); /* NULL: idle */
	void *argument;
	bool begun; /* the thread is at it */
	bool end;
};

static void *work(void *pointer)
{
	struct worker *worker = pointer;

	pthread_mutex_lock(&worker->lock);
	while (!worker->end) {
		if (!worker->job) {
			pthread_cond_wait(&worker->changed, &worker->lock);
			continue;
		}
		worker->begun = true;
		pthread_mutex_unlock(&worker->lock);
		pthread_setaffinity_np(pthread_self(), sizeof worker->allowed, &worker->allowed);
		worker->job(worker->argument);
		pthread_mutex_lock(&worker->lock);
		worker->begun = false;
		worker->job = NULL;
		pthread_cond_broadcast(&worker->changed);
	}
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

struct worker *worker_new(void)
{
	struct worker *worker;
	cpu_set_t set;
	bool known = sched_getaffinity(0, sizeof set, &set) == 0;

	if (known && CPU_COUNT(&set) < 2)
		return NULL;
	worker = calloc(1, sizeof *worker);
	if (!worker)
		return NULL;
	worker->owner = getpid();
	if (known)
		worker->allowed = set;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->changed, NULL);
	if (thread_start(&worker->thread, work, worker))
		return worker;
	free(worker);
	return NULL;
}

/* In a forked child the lock may be held and the condition waited for, by threads that are not there. */
static bool is_elsewhere(const struct worker *worker)
{
	return worker->owner != getpid();
}

static void end(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->end = true;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->lock);
}

void worker_free(struct worker *worker)
{
	if (worker && !is_elsewhere(worker))
		end(worker);
	free(worker);
}

/* Where processors have been busy until now, Linux wakes a thread where it ran last, if only behind its caller, and
 * does not look for one that is idle (SIS_UTIL of kernel/sched/fair.c, Linux 6.0, commit 70fb5ccf2ebb). Once it is
 * awake it may go anywhere.
 */
static void wake_elsewhere(struct worker *worker)
{
	int here = sched_getcpu();
	cpu_set_t others = worker->allowed;

	if (here < 0 || here >= CPU_SETSIZE || !CPU_ISSET(here, &others))
		return;
	CPU_CLR(here, &others);
	pthread_setaffinity_np(worker->thread, sizeof others, &others);
}

void worker_begin(struct worker *worker, void (*job)(void *), void *argument)
{
	if (is_elsewhere(worker)) {
		job(argument);
		return;
	}
	wake_elsewhere(worker);
	pthread_mutex_lock(&worker->lock);
	worker->argument = argument;
	worker->job = job;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
}

void worker_wait(struct worker *worker)
{
	if (is_elsewhere(worker))
		return;
	pthread_mutex_lock(&worker->lock);
	void (*left)(void *) = worker->begun ? NULL : take(worker->job);
	while (worker->job)
		pthread_cond_wait(&worker->changed, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
	if (left)
		left(worker->argument);
}
