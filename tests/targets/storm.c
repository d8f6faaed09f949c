/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storm: threads are started and end all the time, joined or not, and each is looked at; see worker.h. */
#include "worker.h"

#define SPAWNERS 6
#define AT_ONCE 4
#define STACK (64 * 1024UL)

static __thread long fresh; /* must be 0 in every new thread */

static void *live_briefly(void *number)
{
	fresh++;
	if ((long)number % 3 == 0)
		usleep(100);
	else if ((long)number % 3 == 1)
		usleep(1);
	return (void *)((long)number * 2 + fresh);
}

static void spawn(struct worker *self)
{
	pthread_attr_t attributes;
	pthread_t threads[AT_ONCE];
	int error;
	void *result;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	for (long i = 0; i < AT_ONCE; i++) {
		error = pthread_create(&threads[i], &attributes, live_briefly, (void *)i);
		expect(self, !error, "pthread_create: %s", strerror(error));
		if (error)
			return;
	}
	for (long i = 0; i < AT_ONCE; i++) {
		error = pthread_join(threads[i], &result);
		expect(self, !error && (long)result == i * 2 + 1, "a thread returned %ld, %s", (long)result,
		       strerror(error));
	}
}

static int running;

static void *leave_by_itself(void *unused)
{
	(void)unused;
	__atomic_sub_fetch(&running, 1, __ATOMIC_ACQ_REL);
	return NULL;
}

static void detach(struct worker *self)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	while (SEEN(running) > 16)
		usleep(100);
	__atomic_add_fetch(&running, 1, __ATOMIC_ACQ_REL);
	error = pthread_create(&thread, &attributes, leave_by_itself, NULL);
	expect(self, !error, "pthread_create: %s", strerror(error));
}

int main(void)
{
	static struct worker workers[SPAWNERS + 1] = { [SPAWNERS] = { .name = "detach", .round = detach } };
	static char names[SPAWNERS][16];

	for (int i = 0; i < SPAWNERS; i++) {
		snprintf(names[i], sizeof(names[i]), "spawn%d", i);
		workers[i] = (struct worker){ .name = names[i], .round = spawn };
	}
	start_workers(workers, SPAWNERS + 1);
	return answer(workers, SPAWNERS + 1);
}
