/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/background.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "unit.h"

struct seen {
	pthread_t thread;
	int nice;
	bool blocked;
	cpu_set_t allowed;
};

static void look(void *pointer)
{
	struct seen *seen = pointer;
	sigset_t now;

	seen->thread = pthread_self();
	sched_getaffinity(0, sizeof seen->allowed, &seen->allowed);
	seen->nice = getpriority(PRIO_PROCESS, 0);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	seen->blocked = sigismember(&now, SIGINT);
}

static void steps_back_alone(void **state)
{
	int before = getpriority(PRIO_PROCESS, 0);
	struct seen seen = { 0 };
	cpu_set_t allowed, after;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
	background_do(look, &seen);
	assert_false(pthread_equal(seen.thread, pthread_self()));
	assert_int_equal(seen.nice, before + 15 < 19 ? before + 15 : 19);
	assert_true(seen.blocked);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
	assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
	assert_true(CPU_EQUAL(&allowed, &after));
	assert_true(CPU_EQUAL(&allowed, &seen.allowed));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(steps_back_alone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
