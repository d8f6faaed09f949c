/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guard on children of this test: stopping, registers, copies, and what remains when somebody is killed. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "base/buffer.h"
#include "stop/guard.h"
#include "stop/registers.h"

#define MARK 0x1122334455667788ULL

/* A child that counts, with a known value in a register. */
struct victim {
	pid_t pid;
	void *page;
	_Atomic uint64_t *counter; /* in it */
};

static void count_for_ever(_Atomic uint64_t *counter)
{
#ifdef __x86_64__
	__asm__ volatile("1: incq (%0)\n jmp 1b" : : "r"(counter), "r"(MARK) : "memory");
#endif
	for (;;)
		++*counter;
}

static int begin(void **state)
{
	struct victim *victim = calloc(1, sizeof *victim);

	assert_non_null(victim);
	victim->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(victim->page, MAP_FAILED);
	victim->counter = victim->page;
	victim->pid = fork();
	if (victim->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		count_for_ever(victim->counter);
	}
	while (*victim->counter == 0)
		sched_yield();
	*state = victim;
	return 0;
}

static int end(void **state)
{
	struct victim *victim = *state;

	kill(victim->pid, SIGKILL);
	waitpid(victim->pid, NULL, 0);
	munmap(victim->page, 4096);
	free(victim);
	return 0;
}

/* Returns when the victim has gone on. */
static void assert_runs(const struct victim *victim)
{
	uint64_t before = *victim->counter;

	while (*victim->counter == before)
		sched_yield();
}

/* The first number behind `key` in /proc/PID/status. */
static int status_number(pid_t pid, const char *key)
{
	AUTO_BUFFER text = { 0 };
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/status", pid);
	if (buffer_read_file(&text, AT_FDCWD, name) < 0)
		return -1;
	return atoi(strstr(text.bytes, key) + strlen(key));
}

static void start(struct guard **guard, const struct victim *victim)
{
	struct pidmem_error error = { 0 };

	assert_int_equal(guard_start(&error, guard), 0);
	assert_int_equal(guard_stop(*guard, &victim->pid, 1, 200, &error), 0);
}

static void stops_and_resumes(void **state)
{
	const struct victim *victim = *state;
	AUTO_GUARD guard = NULL;
	uint64_t pause = 0, before;

	start(&guard, victim);
	before = *victim->counter;
	for (int i = 0; i < 1000; i++)
		sched_yield();
	assert_int_equal(*victim->counter, before);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	assert_true(pause > 0);
	assert_runs(victim);
	assert_int_equal(status_number(victim->pid, "TracerPid:\t"), 0);
}

static bool holds_mark(const struct stopped_thread *thread)
{
	for (size_t i = 0; i + 8 <= thread->sets[0].size; i += 8) {
		uint64_t value;
		memcpy(&value, thread->sets[0].bytes + i, sizeof value);
		if (value == MARK)
			return true;
	}
	return false;
}

static void gives_registers(void **state)
{
	const struct victim *victim = *state;
	AUTO_GUARD guard = NULL;
	struct stopped_threads *threads;

	start(&guard, victim);
	assert_int_equal(guard_threads(guard, 0, NULL, &threads), 0);
	assert_int_equal(threads->count, 1);
	assert_int_equal(threads->threads[0].tid, victim->pid);
	assert_true(threads->threads[0].stopped);
	assert_ptr_equal(threads->arch, arch_native());
	uint64_t pc = threads->arch->program_counter(threads->threads[0].sets[0].bytes);
	assert_true(pc - (uintptr_t)count_for_ever < 256);
#ifdef __x86_64__
	assert_true(holds_mark(&threads->threads[0]));
#endif
	stopped_threads_free(threads);
}

static void copy_is_frozen_and_leaves_nothing(void **state)
{
	const struct victim *victim = *state;
	AUTO_GUARD guard = NULL;
	pid_t copy = 0;
	uint64_t pause, stops[1] = { 0 };
	char name[64];

	start(&guard, victim);
	assert_int_equal(guard_copy(guard, 0, NULL, &copy), 0);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	assert_runs(victim);
	assert_int_equal(status_number(copy, "PPid:\t"), victim->pid);
	assert_int_not_equal(status_number(copy, "TracerPid:\t"), 0);
	snprintf(name, sizeof name, "/proc/%d/fd/2", copy);
	assert_int_equal(access(name, F_OK), -1);
	assert_int_equal(guard_reap(guard, NULL, stops), 0);
	assert_true(stops[0] > 0);
	assert_int_equal(kill(copy, 0), -1);
	assert_runs(victim);
}

/* A client that is killed in the middle of a stop. */
static void killed_client_leaves_nothing(void **state)
{
	const struct victim *victim = *state;
	pid_t client = fork();

	if (client == 0) {
		struct guard *guard;
		pid_t copy;
		if (guard_start(NULL, &guard) < 0 || guard_stop(guard, &victim->pid, 1, 200, NULL) < 0 ||
		    guard_copy(guard, 0, NULL, &copy) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	int status;
	waitpid(client, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_runs(victim);
	while (status_number(victim->pid, "TracerPid:\t"))
		sched_yield();
	assert_runs(victim);
}

static void killed_guard_is_told(void **state)
{
	const struct victim *victim = *state;
	AUTO_GUARD guard = NULL;
	struct pidmem_error error = { 0 };
	uint64_t pause;

	start(&guard, victim);
	pid_t tracer = status_number(victim->pid, "TracerPid:\t");
	assert_true(tracer > 1); /* kill(2) takes -1 for everybody, and 0 for this group */
	kill(tracer, SIGKILL);
	assert_int_equal(guard_resume(guard, &error, &pause), -EPIPE);
	assert_int_equal(error.code, PIDMEM_SYSTEM);
	assert_runs(victim);
}

/* Whoever kills a stopped process can wait for its end at once. */
static void killed_target_can_be_waited_for(void **state)
{
	const struct victim *victim = *state;
	AUTO_GUARD guard = NULL;
	uint64_t pause;

	start(&guard, victim);
	kill(victim->pid, SIGKILL);
	assert_int_equal(waitpid(victim->pid, NULL, 0), victim->pid);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
}

static void traced_twice_is_refused(void **state)
{
	const struct victim *victim = *state;
	AUTO_GUARD first = NULL;
	AUTO_GUARD second = NULL;
	struct pidmem_error error = { 0 };

	start(&first, victim);
	assert_int_equal(guard_start(&error, &second), 0);
	assert_int_equal(guard_stop(second, &victim->pid, 1, 200, &error), -EBUSY);
	assert_int_equal(error.code, PIDMEM_ACCESS);
	assert_int_equal(error.tid, status_number(victim->pid, "TracerPid:\t"));
}

static void stops_more_beside(void **state)
{
	const struct victim *victim = *state;
	void *other;
	struct stopped_threads *threads;
	struct guard *guard;

	begin(&other);
	pid_t pid = ((struct victim *)other)->pid;
	start(&guard, victim);
	assert_int_equal(guard_stop(guard, &pid, 1, 200, NULL), 0);
	assert_int_equal(guard_threads(guard, 1, NULL, &threads), 0);
	assert_int_equal(threads->threads[0].tid, pid);
	stopped_threads_free(threads);
	guard_end(guard);
	assert_runs(other);
	assert_runs(victim);
	end(&other);
}

/* What a guard sends is taken apart as far as it can be right. */
static void bad_bytes_are_refused(void **state)
{
	struct stopped_threads *threads;
	struct buffer bytes = { .bytes = calloc(1, 64), .size = 20, .capacity = 64 };

	(void)state;
	assert_int_equal(registers_unpack(&bytes, &threads), -EBADMSG);
	bytes.size = 48;
	((uint32_t *)bytes.bytes)[1] = 7; /* sets that do not follow */
	assert_int_equal(registers_unpack(&bytes, &threads), -EBADMSG);
	buffer_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stops_and_resumes, begin, end),
		cmocka_unit_test_setup_teardown(gives_registers, begin, end),
		cmocka_unit_test_setup_teardown(copy_is_frozen_and_leaves_nothing, begin, end),
		cmocka_unit_test_setup_teardown(killed_client_leaves_nothing, begin, end),
		cmocka_unit_test_setup_teardown(killed_guard_is_told, begin, end),
		cmocka_unit_test_setup_teardown(killed_target_can_be_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(traced_twice_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(stops_more_beside, begin, end),
		cmocka_unit_test(bad_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
