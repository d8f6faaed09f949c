/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the rest of the library stands on: structures with a size, errors, the worker. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#undef fail /* cmocka's, which nobody needs here */
#include "base/cleanup.h"
#include "base/error.h"
#include "base/options.h"
#include "base/worker.h"

struct known {
	size_t size;
	uint32_t first, second;
};

/* The same structure as a later version may have it. */
struct later {
	size_t size;
	uint32_t first, second;
	uint64_t third;
};

static void test_options_none(void **state)
{
	struct known known = { 7, 7, 7 };

	(void)state;
	assert_int_equal(options_take(&known, sizeof known, NULL, NULL), 0);
	assert_int_equal(known.first, 0);
	assert_int_equal(known.second, 0);
}

static void test_options_of_an_older_caller(void **state)
{
	struct known given = { offsetof(struct known, second), 1, 2 }, known = { 7, 7, 7 };

	(void)state;
	assert_int_equal(options_take(&known, sizeof known, &given, NULL), 0);
	assert_int_equal(known.first, 1);
	assert_int_equal(known.second, 0); /* what lies behind the caller's structure is not its */
}

static void test_options_of_a_newer_caller(void **state)
{
	struct later given = { sizeof given, 1, 2, 0 };
	struct known known;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(options_take(&known, sizeof known, &given, NULL), 0);
	assert_int_equal(known.second, 2);
	given.third = 1ULL << 63;
	assert_int_equal(options_take(&known, sizeof known, &given, &error), -EOPNOTSUPP);
	assert_int_equal(error.code, PIDMEM_UNSUPPORTED);
}

static void test_options_without_size(void **state)
{
	struct known given = { 0, 1, 2 }, known;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(options_take(&known, sizeof known, &given, &error), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
	given.size = SIZE_MAX / 2; /* left uninitialised: nothing is read by it */
	assert_int_equal(options_take(&known, sizeof known, &given, &error), -EINVAL);
}

static void test_options_give(void **state)
{
	const struct known filled = { sizeof filled, 1, 2 };
	struct known small = { offsetof(struct known, second), 7, 7 };
	struct later large = { sizeof large, 7, 7, 7 };

	(void)state;
	options_give(&small, &filled, sizeof filled);
	assert_int_equal(small.size, offsetof(struct known, second));
	assert_int_equal(small.first, 1);
	assert_int_equal(small.second, 7); /* beyond the caller's room */
	options_give(&large, &filled, sizeof filled);
	assert_int_equal(large.size, sizeof large);
	assert_int_equal(large.second, 2);
	assert_int_equal(large.third, 0);
}

/* Each entry that takes a structure with a size looks at it. */
static void test_sizes_are_looked_at(void **state)
{
	struct {
		struct pidmem_open_options known;
		uint64_t unknown;
	} later = { { sizeof later, NULL }, 1 };
	struct pidmem_open_options without = { 0 };
	struct pidmem_access access = PIDMEM_INIT(access), none = { 0 };
	struct pidmem_process *process;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(pidmem_process_open(getpid(), &later.known, &error, &process), -EOPNOTSUPP);
	assert_int_equal(pidmem_process_open(getpid(), &without, &error, &process), -EINVAL);
	assert_int_equal(pidmem_access_check(getpid(), &later.known, &error, &access), -EOPNOTSUPP);
	assert_int_equal(pidmem_access_check(getpid(), NULL, &error, &none), -EINVAL);
	assert_int_equal(error.code, PIDMEM_USAGE);
}

/* A caller from before a check was added: it must not find more checks counted than it has. */
static void test_fewer_checks(void **state)
{
	struct pidmem_access access = PIDMEM_INIT(access);

	(void)state;
	memset(&access.checks, 0x5a, sizeof access.checks);
	access.size = offsetof(struct pidmem_access, checks) + 3 * sizeof *access.checks + 1;
	assert_int_equal(pidmem_access_check(getpid(), NULL, NULL, &access), 0);
	assert_int_equal(access.count, 3);
	assert_int_equal(access.checks[2].cause, PIDMEM_CAUSE_KERNEL_THREAD);
	assert_int_equal(access.checks[4].fact[0], 0x5a);
}

static void test_error_number_of_a_refusal(void **state)
{
	struct pidmem_error error;

	(void)state;
	assert_int_equal(fail(&error, PIDMEM_ACCESS, EPERM, "no"), -EPERM);
	assert_int_equal(error.sys, EPERM);
	fail(&error, PIDMEM_UNSUPPORTED, ENOSYS, "no");
	assert_int_equal(error.sys, ENOSYS);
	fail(&error, PIDMEM_USAGE, EINVAL, "no");
	assert_int_equal(error.sys, 0);
}

static void test_open_directory(void **state)
{
	AUTO_DIR list = open_directory_at(AT_FDCWD, "/proc/self/task");

	(void)state;
	assert_non_null(list);
	assert_non_null(readdir(list));
	assert_null(open_directory_at(AT_FDCWD, "/proc/self/stat"));
	assert_int_equal(errno, ENOTDIR);
}

static void set(void *flag)
{
	*(bool *)flag = true;
}

static bool works(struct worker *worker)
{
	bool done = false;

	worker_begin(worker, set, &done);
	worker_wait(worker);
	return done;
}

struct counted {
	atomic_size_t begun, done;
};

static void count(void *pointer)
{
	struct counted *counted = pointer;

	atomic_fetch_add(&counted->begun, 1);
	for (size_t spin = 0; spin < 1000; spin++)
		__asm__ volatile("");
	atomic_fetch_add(&counted->done, 1);
}

/* Whoever does it, the thread, for which each other round waits, or who waits for it: once, and before that is over. */
static void test_worker_does_each_job_once(void **state)
{
	struct worker *worker = worker_new();
	struct counted counted = { 0 };

	(void)state;
	if (!worker) {
		print_message("only one processor: there is no worker\n");
		skip();
	}
	for (size_t i = 1; i <= 1000; i++) {
		worker_begin(worker, count, &counted);
		while (i % 2 && atomic_load(&counted.begun) < i)
			sched_yield();
		worker_wait(worker);
		assert_int_equal(atomic_load(&counted.done), i);
	}
	worker_free(worker);
	assert_int_equal(atomic_load(&counted.begun), 1000);
}

static void tell_processor(void *pointer)
{
	atomic_store((atomic_int *)pointer, sched_getcpu());
}

/* Not on the caller's processor, where each would wait for the other. */
static void test_worker_runs_beside_its_caller(void **state)
{
	struct worker *worker = worker_new();
	size_t compared = 0;

	(void)state;
	if (!worker) {
		print_message("only one processor: there is no worker\n");
		skip();
	}
	for (size_t i = 0; i < 1000; i++) {
		atomic_int there = -1;
		int here = sched_getcpu();
		worker_begin(worker, tell_processor, &there);
		bool stayed = sched_getcpu() == here;
		while (atomic_load(&there) < 0)
			sched_yield();
		worker_wait(worker);
		assert_false(stayed && atomic_load(&there) == here);
		compared += stayed;
	}
	worker_free(worker);
	assert_true(compared > 0);
}

/* fork() copies the calling thread alone: the child must not wait for the other one. */
static void test_worker_in_a_child(void **state)
{
	struct worker *worker = worker_new();
	int status;

	(void)state;
	if (!worker) {
		print_message("only one processor: there is no worker\n");
		skip();
	}
	assert_true(works(worker));
	pid_t child = fork();
	if (child == 0) {
		alarm(20); /* ends it should it wait for ever */
		bool done = works(worker);
		worker_free(worker);
		_exit(done ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(works(worker)); /* and the parent's is as it was */
	worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_none),
		cmocka_unit_test(test_options_of_an_older_caller),
		cmocka_unit_test(test_options_of_a_newer_caller),
		cmocka_unit_test(test_options_without_size),
		cmocka_unit_test(test_options_give),
		cmocka_unit_test(test_sizes_are_looked_at),
		cmocka_unit_test(test_fewer_checks),
		cmocka_unit_test(test_error_number_of_a_refusal),
		cmocka_unit_test(test_open_directory),
		cmocka_unit_test(test_worker_does_each_job_once),
		cmocka_unit_test(test_worker_runs_beside_its_caller),
		cmocka_unit_test(test_worker_in_a_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
