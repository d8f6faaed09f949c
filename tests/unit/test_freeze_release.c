/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Letting the processes of one freeze go one by one, and what is told of stops that came to nothing. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "process/process.h"
#include "source/freeze.h"
#include "stop_victims.h"

static pid_t pids[2];
static struct pidmem_process *processes[2];

static int begin(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		pids[i] = start(victim_counts);
		if (pidmem_process_open(pids[i], NULL, NULL, &processes[i]) < 0)
			return -1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		pidmem_process_close(processes[i]);
		finish(pids[i]);
	}
	return 0;
}

static struct pidmem_freeze *freeze(enum pidmem_consistency consistency)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_error error;
	struct pidmem_freeze *opened;

	options.consistency = consistency;
	if (pidmem_freeze_open(processes, 2, &options, &error, &opened) < 0)
		fail_msg("%s", error.text);
	return opened;
}

static size_t stops_of(struct pidmem_freeze *freeze, size_t index)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);

	assert_int_equal(pidmem_freeze_describe(freeze, index, NULL, &report), 0);
	for (size_t i = 0; i < report.stop_count; i++)
		assert_true(report.stops_us[i] > 0);
	return report.stop_count;
}

static char state_of(pid_t pid)
{
	char word[32];

	read_status(pid, "State:", word);
	return word[0];
}

/* The first number in the list of its children; 0 if there is none. */
static pid_t copy_of(pid_t pid)
{
	AUTO_BUFFER text = { 0 };
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/task/%d/children", pid, pid);
	assert_int_equal(buffer_read_file(&text, AT_FDCWD, name), 0);
	return atoi(text.bytes);
}

static int read_byte(struct pidmem_source *source, struct pidmem_error *error)
{
	unsigned char byte;

	return (int)pidmem_source_read(source, (uintptr_t)counts, &byte, 1, error, NULL);
}

static void stopped_ones_go_one_by_one(void **state)
{
	struct pidmem_freeze *both = freeze(PIDMEM_STOPPED);
	struct pidmem_error error;

	(void)state;
	assert_int_equal(state_of(pids[0]), 't');
	assert_int_equal(pidmem_source_release(pidmem_freeze_source(both, 0), &error), 0);
	assert_int_not_equal(state_of(pids[0]), 't');
	assert_int_equal(state_of(pids[1]), 't');
	assert_int_equal(stops_of(both, 0), 1);
	assert_int_equal(stops_of(both, 1), 0);
	assert_true(read_byte(pidmem_freeze_source(both, 0), &error) < 0);
	assert_int_equal(error.code, PIDMEM_USAGE);
	assert_int_equal(read_byte(pidmem_freeze_source(both, 1), NULL), 1);

	assert_int_equal(pidmem_source_release(pidmem_freeze_source(both, 0), &error), 0);
	assert_int_equal(pidmem_freeze_release(both, NULL), 0);
	assert_int_not_equal(state_of(pids[1]), 't');
	assert_int_equal(stops_of(both, 0), 1);
	assert_int_equal(stops_of(both, 1), 1);
	assert_int_equal(pidmem_source_release(pidmem_freeze_source(both, 1), NULL), 0);
	pidmem_freeze_close(both);
}

static void the_last_one_goes_as_well(void **state)
{
	struct pidmem_freeze *both = freeze(PIDMEM_STOPPED);

	(void)state;
	for (int i = 1; i >= 0; i--)
		assert_int_equal(pidmem_source_release(pidmem_freeze_source(both, (size_t)i), NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_not_equal(state_of(pids[i]), 't');
	assert_int_equal(pidmem_freeze_release(both, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(stops_of(both, (size_t)i), 1);
	pidmem_freeze_close(both);
}

static void a_core_lets_its_copy_go(void **state)
{
	struct pidmem_freeze *both = freeze(PIDMEM_SNAPSHOT);
	struct pidmem_core_options options = PIDMEM_INIT(options);
	struct pidmem_core_report report = PIDMEM_INIT(report);
	AUTO_FD nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct pidmem_account *account;

	(void)state;
	options.fd = nowhere;
	options.release = true;
	assert_true(copy_of(pids[0]) > 0 && copy_of(pids[1]) > 0);
	assert_int_equal(pidmem_account_new(NULL, &account), 0);
	assert_int_equal(pidmem_core(pidmem_freeze_source(both, 0), &options, account, NULL, &report), 0);
	pidmem_account_free(account);
	assert_int_equal(copy_of(pids[0]), 0);
	assert_int_equal(stops_of(both, 0), 2);
	assert_true(copy_of(pids[1]) > 0);
	assert_int_equal(stops_of(both, 1), 1);
	assert_int_equal(read_byte(pidmem_freeze_source(both, 1), NULL), 1);
	assert_int_equal(pidmem_freeze_release(both, NULL), 0);
	assert_int_equal(copy_of(pids[1]), 0);
	assert_int_equal(stops_of(both, 0), 2);
	assert_int_equal(stops_of(both, 1), 2);
	pidmem_freeze_close(both);
}

static void a_live_source_stays_as_it_is(void **state)
{
	struct pidmem_source *source;

	(void)state;
	assert_int_equal(pidmem_source_open(processes[0], NULL, NULL, &source), 0);
	assert_int_equal(pidmem_source_release(source, NULL), 0);
	assert_int_equal(read_byte(source, NULL), 1);
	pidmem_source_close(source);
}

/* Nothing stops it, until `let_go`. */
static void in_vfork(void)
{
	char byte;

	if (vfork() == 0)                              /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
		_exit(read(let_go[0], &byte, 1) != 1); /* NOLINT(clang-analyzer-unix.Vfork) */
}

/* A process that stood still while another one did not stop was stopped all the same. */
static void a_stop_that_fails_is_told(void **state)
{
	pid_t stubborn = start(in_vfork), wanted[2] = { pids[0], stubborn };
	uint64_t pause = 0;

	(void)state;
	wait_for_state(stubborn, 'D');
	for (size_t count = 2; count >= 1; count--) {
		AUTO_GUARD guard = NULL;
		assert_int_equal(guard_start(NULL, &guard), 0);
		assert_int_equal(guard_stop(guard, wanted + (2 - count), count, 1, NULL), -ETIMEDOUT);
		assert_int_not_equal(state_of(pids[0]), 't');
		assert_int_equal(guard_resume(guard, NULL, &pause), 0);
		assert_true(count == 2 ? pause > 0 : pause == 0);
	}
	assert_int_equal(write(let_go[1], "x", 1), 1);
	finish(stubborn);
}

static void a_stop_that_fails_is_noted(void **state)
{
	pid_t stubborn = start(in_vfork);
	struct pidmem_freeze *both = calloc(1, sizeof *both);
	AUTO_PROCESS other = NULL;

	(void)state;
	wait_for_state(stubborn, 'D');
	assert_int_equal(pidmem_process_open(stubborn, NULL, NULL, &other), 0);
	both->options.consistency = PIDMEM_STOPPED;
	both->options.patience_ms = 1;
	both->given = 2;
	assert_int_equal(freeze_add(both, processes[0], false, NULL), 0);
	assert_int_equal(freeze_add(both, other, false, NULL), 0);
	assert_int_equal(guard_start(NULL, &both->guard), 0);
	assert_int_equal(freeze_stop(both, NULL), -ETIMEDOUT);
	assert_int_equal(stops_of(both, 0), 1);
	pidmem_freeze_close(both);
	assert_int_equal(write(let_go[1], "x", 1), 1);
	finish(stubborn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stopped_ones_go_one_by_one, begin, end),
		cmocka_unit_test_setup_teardown(the_last_one_goes_as_well, begin, end),
		cmocka_unit_test_setup_teardown(a_core_lets_its_copy_go, begin, end),
		cmocka_unit_test_setup_teardown(a_live_source_stays_as_it_is, begin, end),
		cmocka_unit_test_setup_teardown(a_stop_that_fails_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_stop_that_fails_is_noted, begin, end),
	};
	return cmocka_run_group_tests(tests, victims_begin, NULL);
}
