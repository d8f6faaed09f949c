/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* More than may be copied in a stop appears just before it: the stop is given up, and all is done again. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "obedient.h"
#include "process/process.h"
#include "source/freeze.h"
#include "source/precopy.h"

#define MUCH (80UL << 20)

/* Two of them: the first one surprises. */
static struct obedient victims[2];
static struct pidmem_freeze *freeze;

static void begin(void)
{
}

/* New memory, which nobody could have seen before. */
static char obey(char order)
{
	static void *memory;

	if (memory)
		munmap(memory, MUCH);
	memory = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(memory, order, MUCH);
	return 'x';
}

static void surprise(void)
{
	obedient_order(&victims[0], 'm');
}

static int start(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(obedient_start(&victims[i], begin, obey), 0);
	freeze = calloc(1, sizeof *freeze);
	freeze->options.consistency = PIDMEM_SNAPSHOT;
	freeze->options.directory = "/tmp";
	obedient_freeze(freeze, victims, 2);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	pidmem_freeze_close(take(freeze));
	for (int i = 0; i < 2; i++)
		obedient_stop(&victims[i]);
	return 0;
}

static bool is_precopied(int i)
{
	return freeze->items[i]->precopy && freeze->items[i]->consistency == PIDMEM_SNAPSHOT &&
	       !freeze->items[i]->fallback[0];
}

static void once(void **state)
{
	(void)state;
	assert_true(is_precopied(0));
	freeze_no_precopy(freeze->items[1], "the test says so");
	surprise();
	assert_int_equal(freeze_take_moment(freeze, NULL), 1);
	/* Whoever had another engine is asked again, and nothing is told of the first attempt. */
	assert_int_equal(freeze_precopy(freeze, NULL), 0);
	assert_true(is_precopied(0) && is_precopied(1));
	assert_int_equal(freeze_take_moment(freeze, NULL), 0);
	assert_true(is_precopied(0) && is_precopied(1));
	assert_int_equal(freeze->items[0]->precopy->untracked, 0);
}

static void twice(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		surprise();
		assert_int_equal(freeze_take_moment(freeze, NULL), 1);
		assert_int_equal(freeze_precopy(freeze, NULL), 0);
	}
	surprise();
	assert_int_equal(freeze_take_moment(freeze, NULL), 0);
	assert_null(freeze->items[0]->precopy);
	assert_int_equal(freeze->items[0]->consistency, PIDMEM_SNAPSHOT);
	assert_non_null(strstr(freeze->items[0]->fallback, "64 MiB"));
	assert_true(is_precopied(1));
}

static void as_asked_for(void **state)
{
	(void)state;
	freeze->options.engine = PIDMEM_ENGINE_PRECOPY;
	surprise();
	assert_int_equal(freeze_take_moment(freeze, NULL), 0);
	assert_true(is_precopied(0));
	assert_true(freeze->items[0]->precopy->untracked >= MUCH);
}

static atomic_int found_stopped;
static char status_file[64];

/* It must not be able to come while somebody is stopped: it could take long, or stop us as well. */
static void look(int number)
{
	char text[64] = "";
	int fd = open(status_file, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, text, sizeof text - 1);
	const char *name_end = got > 0 ? strrchr(text, ')') : NULL;

	close(fd);
	found_stopped += name_end && (name_end[2] == 't' || name_end[2] == 'T');
	(void)number;
}

static void *send_signals(void *thread)
{
	static const struct timespec moment = { .tv_nsec = 20000 };

	for (;;) {
		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
	}
	return NULL;
}

static void with_signals(void **state)
{
	struct sigaction action = { .sa_handler = look, .sa_flags = SA_RESTART }, before;
	pthread_t self = pthread_self(), sender;

	(void)state;
	surprise();
	snprintf(status_file, sizeof status_file, "/proc/%d/stat", victims[0].pid);
	sigaction(SIGUSR1, &action, &before);
	assert_int_equal(pthread_create(&sender, NULL, send_signals, &self), 0);
	assert_int_equal(freeze_take_moment(freeze, NULL), 1);
	pthread_cancel(sender);
	pthread_join(sender, NULL);
	sigaction(SIGUSR1, &before, NULL);
	assert_int_equal(found_stopped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once, start, stop),
		cmocka_unit_test_setup_teardown(twice, start, stop),
		cmocka_unit_test_setup_teardown(as_asked_for, start, stop),
		cmocka_unit_test_setup_teardown(with_signals, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
