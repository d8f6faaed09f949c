/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/background.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

struct seen {
	pthread_t thread;
	int nice;
	struct scheduling how;
	bool blocked;
	cpu_set_t allowed;
};

static struct scheduling how_scheduled(void)
{
	struct scheduling attributes = { .size = sizeof attributes };

	assert_int_equal(syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0), 0);
	return attributes;
}

static void look(void *pointer)
{
	struct seen *seen = pointer;
	sigset_t now;

	seen->thread = pthread_self();
	sched_getaffinity(0, sizeof seen->allowed, &seen->allowed);
	seen->nice = getpriority(PRIO_PROCESS, 0);
	seen->how = how_scheduled();
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	seen->blocked = sigismember(&now, SIGINT);
}

static void steps_back_alone(void **state)
{
	int before = getpriority(PRIO_PROCESS, 0);
	const struct scheduling here = how_scheduled();
	struct seen seen = { 0 };
	cpu_set_t allowed, after;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
	background_do(look, &seen);
	assert_false(pthread_equal(seen.thread, pthread_self()));
	assert_int_equal(seen.nice, before + 15 < 19 ? before + 15 : 19);
	assert_int_equal(seen.how.policy, SCHED_BATCH);
	if (here.runtime) /* the kernel tells of slices: Linux 6.12 */
		assert_true(seen.how.runtime > here.runtime);
	const struct scheduling now = how_scheduled();
	assert_memory_equal(&here, &now, sizeof here);
	assert_true(seen.blocked);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
	assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
	assert_true(CPU_EQUAL(&allowed, &after));
	assert_true(CPU_EQUAL(&allowed, &seen.allowed));
}

static void look_idle(void *pointer)
{
	const struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_IDLE, &none);
	background_do(look, pointer);
}

/* Whoever is to be idle has said so. */
static void stays_idle(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	background_do(look_idle, &seen);
	assert_int_equal(seen.how.policy, SCHED_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(steps_back_alone), cmocka_unit_test(stays_idle) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
