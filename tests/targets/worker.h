/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Victims that check themselves: each of their threads repeats one thing and looks at its result. A line on standard
 * input is answered by a line `NAME:ROUNDS:INTERRUPTED:WRONG ...` for all threads, with what was wrong behind ` | `.
 * Such a victim ends well only if nothing was ever wrong.
 *
 * INTERRUPTED counts EINTR where signal(7), "Interruption of system calls and library functions by stop signals",
 * allows it. Anywhere else it is wrong.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <time.h>

#include "victim.h"

struct worker {
	const char *name;
	void (*round)(struct worker *self);
	bool may_be_interrupted; /* by a stop, says signal(7) */
	void (*begin)(struct worker *self);
	unsigned long rounds, interrupted, wrong;
	char text[160];
	long own[4];
};

#define LATER(variable) __atomic_add_fetch(&(variable), 1, __ATOMIC_RELAXED)
#define SEEN(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)

static inline long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

__attribute__((format(printf, 3, 4))) static inline void expect(struct worker *self, bool right, const char *what, ...)
{
	int error = errno;
	va_list list;
	int length;

	if (right)
		return;
	if (LATER(self->wrong) > 1)
		return;
	va_start(list, what);
	length = vsnprintf(self->text, sizeof(self->text), what, list);
	va_end(list);
	if (length > 0 && (size_t)length < sizeof(self->text))
		snprintf(self->text + length, sizeof(self->text) - (size_t)length, " (%s)", strerror(error));
}

/* Did a wait of so long end as it must: with this result (and errno), and not too early? */
static inline void waited(struct worker *self, long long begun, long long wait, long result, long expected, int error)
{
	int got = errno;

	if (result < 0 && got == EINTR && self->may_be_interrupted) {
		LATER(self->interrupted);
		return;
	}
	expect(self, result == expected && (result >= 0 || got == error), "%s: %ld", self->name, result);
	expect(self, now() - begun >= wait, "%s: ended %lld ns too early", self->name, wait - (now() - begun));
}

static void *work(void *worker)
{
	struct worker *self = worker;

	if (self->begin)
		self->begin(self);
	for (;;) {
		self->round(self);
		LATER(self->rounds);
	}
	return NULL;
}

static inline bool tell_workers(const struct worker *workers, size_t count)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++) {
		printf("%s:%lu:%lu:%lu ", workers[i].name, SEEN(workers[i].rounds), SEEN(workers[i].interrupted),
		       SEEN(workers[i].wrong));
		if (workers[i].wrong)
			text = workers[i].text;
	}
	printf("| %s\n", text);
	fflush(stdout);
	return !*text;
}

static inline void start_workers(struct worker *workers, size_t count)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	for (size_t i = 0; i < count; i++)
		if (pthread_create(&thread, &attributes, work, &workers[i]))
			die("pthread_create");
	/* A victim is in place when each of its threads has done its part once. */
	for (size_t i = 0; i < count; i++)
		while (!SEEN(workers[i].rounds))
			usleep(1000);
}

static inline int answer(const struct worker *workers, size_t count)
{
	char line[64];
	bool well = true;

	puts("ready");
	fflush(stdout);
	errno = 0;
	while (fgets(line, sizeof(line), stdin))
		well = tell_workers(workers, count);
	for (size_t i = 0; i < count; i++)
		well = well && !SEEN(workers[i].wrong);
	_exit(well && !errno ? 0 : 1);
}

#endif
