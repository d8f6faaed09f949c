/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard on processes that are at an awkward place when they are stopped, or get there meanwhile. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "stop/copies.h"
#include "stop_victims.h"

/* Its first thread is in vfork(), where nothing stops it, until `let_go`. */
static void in_vfork(void)
{
	char byte;

	add_thread(count_in_thread);
	wait_for_count(THREAD);
	if (vfork() == 0)                              /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
		_exit(read(let_go[0], &byte, 1) != 1); /* NOLINT(clang-analyzer-unix.Vfork) */
	victim_counts();
}

static void thread_that_stops_late_runs_on(void **state)
{
	pid_t pid = start(in_vfork), copy;
	uint64_t pause;

	(void)state;
	wait_for_state(pid, 'D');
	AUTO_GUARD guard = stop(pid);
	assert_int_equal(write(let_go[1], "x", 1), 1);
	wait_for_state(pid, 't');
	assert_int_equal(guard_copy(guard, 0, NULL, &copy), 0); /* waits for stops as well */
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	assert_runs(THREAD);
	wait_for_count(MAIN);
	finish(pid);
}

static void thread_that_never_stops_does_not_hinder_the_end(void **state)
{
	pid_t pid = start(in_vfork), copy = 0;
	uint64_t pause, stops[1];

	(void)state;
	wait_for_state(pid, 'D');
	AUTO_GUARD guard = stop(pid);
	assert_int_equal(guard_copy(guard, 0, NULL, &copy), 0);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	assert_int_equal(guard_reap(guard, NULL, stops), 0);
	assert_int_equal(kill(copy, 0), -1);
	assert_int_equal(write(let_go[1], "x", 1), 1);
	wait_for_count(MAIN);
	finish(pid);
}

/* A child of the client has its end of the socket as well. */
static void killed_client_that_forked_leaves_nothing(void **state)
{
	pid_t pid = start(victim_counts);
	pid_t client = fork();

	(void)state;
	if (client == 0) {
		stop(pid);
		if (fork() > 0)
			raise(SIGKILL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (counts[READY] = getpid();;)
			pause();
	}
	waitpid(client, NULL, 0);
	wait_for_count(READY);
	assert_runs(MAIN);
	assert_true(counts[READY] > 1);
	kill((pid_t)counts[READY], SIGKILL);
	finish(pid);
}

static void stop_signal_during_a_copy_stops(void **state)
{
	pid_t pid = start(victim_counts), copy;
	uint64_t pause;

	(void)state;
	AUTO_GUARD guard = stop(pid);
	kill(pid, SIGSTOP);
	assert_int_equal(guard_copy(guard, 0, NULL, &copy), 0);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	wait_for_state(pid, 'T');
	kill(pid, SIGCONT);
	assert_runs(MAIN);
	finish(pid);
}

/* A process that this one traces, and does not know. */
static void lost_copy_is_ended(void **state)
{
	struct stop_set set = { 0 };
	int status = 0;
	pid_t pid = start(victim_counts);

	(void)state;
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	copies_end_lost(&set, NULL);
	assert_int_equal(waitpid(pid, &status, 0), -1);
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* What execve(2) of a thread starts, again and again. */
static void *execute_again(void *unused)
{
	usleep((useconds_t)(now_us() % 3000)); /* the others are there by then */
	execl("/proc/self/exe", "again", "again", NULL);
	return unused;
}

static void be_many_and_execute(void)
{
	for (int i = 0; i < 120; i++)
		add_thread(i == 60 ? execute_again : wait_for_ever);
	wait_for_ever(NULL);
}

static void execute_once(void)
{
	execute_again(NULL);
}

static void execve_in_any_window_ends(void **state)
{
	pid_t pid = start(execute_once), copy;
	struct pidmem_error error;
	uint64_t pause;

	(void)state;
	for (int i = 0; i < 150; i++) {
		AUTO_GUARD guard = NULL;
		assert_int_equal(guard_start(NULL, &guard), 0);
		if (guard_stop(guard, &pid, 1, 50, &error) < 0)
			continue;
		guard_copy(guard, 0, NULL, &copy);
		assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	}
	finish(pid);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_that_stops_late_runs_on),
		cmocka_unit_test(thread_that_never_stops_does_not_hinder_the_end),
		cmocka_unit_test(killed_client_that_forked_leaves_nothing),
		cmocka_unit_test(stop_signal_during_a_copy_stops),
		cmocka_unit_test(lost_copy_is_ended),
		cmocka_unit_test(execve_in_any_window_ends),
	};

	if (argc > 1 && strcmp(argv[1], "again") == 0)
		be_many_and_execute();
	return cmocka_run_group_tests(tests, victims_begin, NULL);
}
