/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/worker.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/thread.h"

struct worker {
	pthread_t thread;
	pid_t owner; /* the process that has the thread: fork(2) copies the calling thread alone */
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

	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < 2)
		return NULL;
	worker = calloc(1, sizeof *worker);
	if (!worker)
		return NULL;
	worker->owner = getpid();
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

void worker_begin(struct worker *worker, void (*job)(void *), void *argument)
{
	if (is_elsewhere(worker)) {
		job(argument);
		return;
	}
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
