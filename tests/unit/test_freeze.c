/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Freezing a real process: a forked child of this test, which changes its memory when it is told to. */
#include "unit.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "obedient.h"
#include "process/process.h"
#include "source/freeze.h"

#define PAGE 4096UL
#define LARGE (8UL << 20) /* more than is saved in the pause */

/* One byte in front, the last page never touched. */
enum { PRIVATE, DONTFORK, WIPED, SHARED, SHARED_LARGE, REGIONS };
static const size_t sizes[REGIONS] = { 4 * PAGE, 4 * PAGE, 4 * PAGE, 4 * PAGE, LARGE };
static unsigned char *regions[REGIONS];
static struct obedient child;

static void set_all(unsigned char value)
{
	for (int i = 0; i < REGIONS; i++) {
		regions[i][0] = value;
		regions[i][2 * PAGE] = (unsigned char)(value + 1);
	}
}

static void begin(void)
{
	madvise(regions[DONTFORK], sizes[DONTFORK], MADV_DONTFORK);
	madvise(regions[WIPED], sizes[WIPED], MADV_WIPEONFORK);
	set_all('a');
}

static char obey(char order)
{
	set_all((unsigned char)order);
	return 'x';
}

/* Let the child put other bytes everywhere. */
static void change(char value)
{
	obedient_order(&child, value);
}

static int start(void **state)
{
	(void)state;
	for (int i = 0; i < REGIONS; i++) {
		/* Pages around it, so that no region is merged with another. */
		regions[i] = mmap(NULL, sizes[i] + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		regions[i] = mmap(regions[i] + PAGE, sizes[i], PROT_READ | PROT_WRITE,
				  MAP_FIXED | MAP_ANONYMOUS | (i >= SHARED ? MAP_SHARED : MAP_PRIVATE), -1, 0);
		if (regions[i] == MAP_FAILED)
			return -1;
	}
	return obedient_start(&child, begin, obey);
}

static int stop(void **state)
{
	(void)state;
	obedient_stop(&child);
	for (int i = 0; i < REGIONS; i++)
		munmap(regions[i] - PAGE, sizes[i] + 2 * PAGE);
	return 0;
}

/* The first byte of a region, or minus the reason why it cannot be read. */
static int first(struct pidmem_source *source, int region)
{
	struct pidmem_error error;
	struct pidmem_span why;
	unsigned char byte;
	ssize_t got = pidmem_source_read(source, (uintptr_t)regions[region], &byte, 1, &error, &why);

	if (got < 0)
		print_message("%s\n", error.text);
	assert_true(got >= 0);
	return got ? byte : -(int)why.why;
}

static struct pidmem_freeze *freeze_with(const struct pidmem_freeze_options *options)
{
	struct pidmem_error error;
	struct pidmem_freeze *freeze;

	if (pidmem_freeze_open(&child.process, 1, options, &error, &freeze) < 0)
		fail_msg("%s", error.text);
	return freeze;
}

static struct pidmem_freeze_report report_of(struct pidmem_freeze *freeze, size_t index)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);

	assert_int_equal(pidmem_freeze_describe(freeze, index, NULL, &report), 0);
	return report;
}

/* The child answers: it is not stopped. */
static bool is_running(void)
{
	char path[64], text[512] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", child.pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof text, file));
	fclose(file);
	return strrchr(text, ')')[2] != 't';
}

static size_t count_children(void)
{
	char path[64], text[4096] = "";
	size_t count = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", child.pid, child.pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	if (fgets(text, sizeof text, file))
		for (const char *at = text; (at = strchr(at, ' ')); at++)
			count++;
	fclose(file);
	return count;
}

static void test_snapshot(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_freeze *freeze = freeze_with(&options);
	struct pidmem_source *source = pidmem_freeze_source(freeze, 0);
	unsigned char bytes[4 * PAGE];

	(void)state;
	assert_true(is_running());
	change('m');
	for (int i = 0; i < SHARED_LARGE; i++)
		assert_int_equal(first(source, i), 'a');
	assert_int_equal(first(source, SHARED_LARGE), 'm'); /* read after the pause: the report says so */
	for (int i = 0; i < SHARED; i++) {
		assert_int_equal(pidmem_source_read(source, (uintptr_t)regions[i], bytes, sizeof bytes, NULL, NULL),
				 sizeof bytes);
		assert_int_equal(bytes[2 * PAGE], 'b');
		assert_int_equal(bytes[3 * PAGE], 0);
	}
	struct pidmem_freeze_report report = report_of(freeze, 0);
	assert_int_equal(report.consistency, PIDMEM_SNAPSHOT);
	assert_int_equal(report.engine, PIDMEM_ENGINE_CLONE);
	assert_null(report.fallback);
	assert_int_equal(report.stop_count, 1);
	assert_true(report.pause_us > 0);
	assert_int_equal(report.threads, 1);
	assert_int_equal(report.unstopped, 0);
	assert_int_equal(report.shared_paused % PAGE, 0);
	assert_in_range(report.shared_paused, 4 * PAGE, 4UL << 20);
	assert_in_range(report.shared_after, LARGE, LARGE + PAGE);
	assert_int_equal(pidmem_source_refresh(source, NULL), 0);
	assert_int_equal(first(source, PRIVATE), 'a');

	assert_int_equal(count_children(), 1);
	assert_int_equal(pidmem_freeze_release(freeze, NULL), 0);
	assert_int_equal(pidmem_freeze_release(freeze, NULL), 0);
	assert_int_equal(count_children(), 0);
	assert_int_equal(report_of(freeze, 0).stop_count, 2);
	struct pidmem_error error;
	assert_true(pidmem_source_read(source, (uintptr_t)regions[PRIVATE], bytes, 1, &error, NULL) < 0);
	assert_int_equal(error.code, PIDMEM_USAGE);
	change('n');
	pidmem_freeze_close(freeze);
}

static void test_when_shared_memory_is_read(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);

	(void)state;
	options.shared = PIDMEM_SHARED_PAUSED;
	struct pidmem_freeze *freeze = freeze_with(&options);
	change('m');
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), SHARED_LARGE), 'a');
	assert_int_equal(report_of(freeze, 0).shared_after, 0);
	pidmem_freeze_close(freeze);

	options.shared = PIDMEM_SHARED_AFTER;
	freeze = freeze_with(&options);
	change('o');
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), SHARED), 'o');
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), WIPED), 'm');
	assert_int_equal(report_of(freeze, 0).shared_paused, 0);
	pidmem_freeze_close(freeze);

	options.shared = PIDMEM_SHARED_AUTO;
	options.shared_limit = 4 * PAGE - 1;
	freeze = freeze_with(&options);
	change('p');
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), SHARED), 'p');
	pidmem_freeze_close(freeze);
}

/* What is not selected is not saved, and what the filter of core files leaves out neither. */
static void test_what_is_wanted(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_select *select;

	(void)state;
	assert_int_equal(pidmem_select_new(NULL, &select), 0);
	assert_int_equal(pidmem_select_add(select, "!shared", NULL), 0);
	options.select = select;
	struct pidmem_freeze *freeze = freeze_with(&options);
	assert_int_equal(report_of(freeze, 0).shared_paused + report_of(freeze, 0).shared_after, 0);
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), SHARED), -PIDMEM_WHY_FILTER);
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), DONTFORK), 'a');
	pidmem_freeze_close(freeze);
	pidmem_select_free(select);

	options.select = NULL;
	options.core = true;
	options.filter = PIDMEM_CORE_FILTER | 1; /* private anonymous memory alone */
	freeze = freeze_with(&options);
	assert_int_equal(report_of(freeze, 0).shared_paused + report_of(freeze, 0).shared_after, 0);
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), WIPED), 'a');
	pidmem_freeze_close(freeze);
}

/* What a copy does not hold and nobody saved is never told as zero. */
static void test_not_copied(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_freeze *freeze = freeze_with(&options);
	struct pidmem_source *source = pidmem_freeze_source(freeze, 0);

	(void)state;
	source->kept = NULL;
	assert_int_equal(first(source, WIPED), -PIDMEM_WHY_NOT_COPIED);
	assert_int_equal(first(source, DONTFORK), -PIDMEM_WHY_NOT_COPIED);
	assert_int_equal(first(source, PRIVATE), 'a');
	pidmem_freeze_close(freeze);
}

static void test_stopped(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);

	(void)state;
	options.consistency = PIDMEM_STOPPED;
	struct pidmem_freeze *freeze = freeze_with(&options);
	assert_false(is_running());
	for (int i = 0; i < REGIONS; i++)
		assert_int_equal(first(pidmem_freeze_source(freeze, 0), i), 'a');
	assert_int_equal(report_of(freeze, 0).consistency, PIDMEM_STOPPED);
	assert_int_equal(report_of(freeze, 0).stop_count, 0);
	assert_int_equal(pidmem_freeze_release(freeze, NULL), 0);
	assert_true(is_running());
	assert_int_equal(report_of(freeze, 0).stop_count, 1);
	assert_int_equal(report_of(freeze, 0).threads, 1);
	change('b');
	pidmem_freeze_close(freeze);
}

static void test_source_of_its_own(void **state)
{
	struct pidmem_source_options options = PIDMEM_INIT(options);
	struct pidmem_source *source;
	const struct stopped_threads *threads;

	(void)state;
	options.consistency = PIDMEM_SNAPSHOT;
	assert_int_equal(pidmem_source_open(child.process, &options, NULL, &source), 0);
	change('m');
	assert_int_equal(first(source, PRIVATE), 'a');
	assert_int_equal(source_threads(source, NULL, &threads), 0);
	assert_int_equal(threads->count, 1);
	assert_int_equal(threads->threads[0].tid, child.pid);
	pidmem_source_close(source);
	assert_int_equal(count_children(), 0);

	options.consistency = PIDMEM_STOPPED;
	assert_int_equal(pidmem_source_open(child.process, &options, NULL, &source), 0);
	assert_false(is_running());
	assert_int_equal(first(source, PRIVATE), 'm');
	pidmem_source_close(source);
	assert_true(is_running());
}

/* The copy stays when the target has gone. */
static void test_target_ends(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_freeze *freeze = freeze_with(&options);
	struct pidmem_source *source = pidmem_freeze_source(freeze, 0);

	(void)state;
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	for (int i = 0; i < SHARED_LARGE; i++)
		assert_int_equal(first(source, i), 'a');
	assert_int_equal(report_of(freeze, 0).threads, 1);
	assert_int_equal(pidmem_freeze_release(freeze, NULL), 0);
	pidmem_freeze_close(freeze);
}

static void test_copy_ends(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_freeze *freeze = freeze_with(&options);
	struct pidmem_source *source = pidmem_freeze_source(freeze, 0);
	struct pidmem_error error;
	unsigned char byte;

	(void)state;
	assert_int_equal(syscall(SYS_pidfd_send_signal, source->process->pidfd, SIGKILL, NULL, 0), 0);
	while (!process_address_space_gone(source->process))
		sched_yield();
	assert_true(pidmem_source_read(source, (uintptr_t)regions[PRIVATE], &byte, 1, &error, NULL) < 0);
	assert_int_equal(error.code, PIDMEM_GONE);
	assert_non_null(strstr(error.text, "frozen copy"));
	assert_true(is_running());
	assert_int_equal(pidmem_freeze_release(freeze, NULL), 0);
	pidmem_freeze_close(freeze);
	assert_int_equal(count_children(), 0);
}

static void test_traced_already(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_freeze *freeze;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(ptrace(PTRACE_SEIZE, child.pid, NULL, NULL), 0);
	assert_true(pidmem_freeze_open(&child.process, 1, &options, &error, &freeze) < 0);
	assert_int_equal(error.code, PIDMEM_ACCESS);
	assert_int_equal(error.tid, getpid());
	options.fall_back = true;
	freeze = freeze_with(&options);
	struct pidmem_freeze_report report = report_of(freeze, 0);
	assert_int_equal(report.consistency, PIDMEM_LIVE);
	assert_non_null(strstr(report.fallback, "traced already"));
	assert_int_equal(first(pidmem_freeze_source(freeze, 0), DONTFORK), 'a');
	assert_int_equal(pidmem_freeze_release(freeze, NULL), 0);
	pidmem_freeze_close(freeze);
}

static void test_the_reader_itself(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_process *own;
	struct pidmem_freeze *freeze;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(pidmem_process_open(getpid(), NULL, NULL, &own), 0);
	assert_true(pidmem_freeze_open(&own, 1, &options, &error, &freeze) < 0);
	assert_int_equal(error.code, PIDMEM_UNSUPPORTED);
	options.fall_back = true;
	assert_int_equal(pidmem_freeze_open(&own, 1, &options, NULL, &freeze), 0);
	assert_int_equal(report_of(freeze, 0).consistency, PIDMEM_LIVE);
	pidmem_freeze_close(freeze);
	pidmem_process_close(own);
}

/* A process that ended, or became another one, is not mistaken for the one that was opened. */
static void test_wrong_process(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_freeze *freeze;
	struct pidmem_error error;

	(void)state;
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	assert_true(pidmem_freeze_open(&child.process, 1, &options, &error, &freeze) < 0);
	assert_int_equal(error.code, PIDMEM_GONE);
	options.fall_back = true;
	assert_true(pidmem_freeze_open(&child.process, 1, &options, &error, &freeze) < 0);
	assert_int_equal(error.code, PIDMEM_GONE);
	assert_true(pidmem_freeze_open(&child.process, 0, &options, &error, &freeze) < 0);
	assert_int_equal(error.code, PIDMEM_USAGE);
}

/* A family: a shell with a child of its own. */
static void test_descendants(void **state)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	struct pidmem_process *parent;
	struct pidmem_freeze *freeze;
	int ready[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid_t shell = fork();
	if (shell == 0) {
		if (fork() == 0 && write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(pidmem_process_open(shell, NULL, NULL, &parent), 0);
	options.descendants = true;
	assert_int_equal(pidmem_freeze_open(&parent, 1, &options, NULL, &freeze), 0);
	assert_int_equal(pidmem_freeze_count(freeze), 2);
	assert_ptr_equal(pidmem_freeze_process(freeze, 0), parent);
	assert_null(pidmem_freeze_process(freeze, 2));
	assert_null(pidmem_freeze_source(freeze, 2));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(report_of(freeze, i).consistency, PIDMEM_SNAPSHOT);
		assert_int_equal(first(pidmem_freeze_source(freeze, i), PRIVATE), 0); /* never touched in these */
	}
	kill(pidmem_process_pid(pidmem_freeze_process(freeze, 1)), SIGKILL);
	pidmem_freeze_close(freeze);
	pidmem_process_close(parent);
	kill(shell, SIGKILL);
	waitpid(shell, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_snapshot, start, stop),
		cmocka_unit_test_setup_teardown(test_when_shared_memory_is_read, start, stop),
		cmocka_unit_test_setup_teardown(test_what_is_wanted, start, stop),
		cmocka_unit_test_setup_teardown(test_not_copied, start, stop),
		cmocka_unit_test_setup_teardown(test_stopped, start, stop),
		cmocka_unit_test_setup_teardown(test_source_of_its_own, start, stop),
		cmocka_unit_test_setup_teardown(test_target_ends, start, stop),
		cmocka_unit_test_setup_teardown(test_copy_ends, start, stop),
		cmocka_unit_test_setup_teardown(test_traced_already, start, stop),
		cmocka_unit_test(test_the_reader_itself),
		cmocka_unit_test_setup_teardown(test_wrong_process, start, stop),
		cmocka_unit_test_setup_teardown(test_descendants, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
