/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cancelling a pre-copy, at any moment: nothing is left of it, neither here nor in the process. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buffer.h"
#include "process/process.h"
#include "stop_victims.h"

#define PAGE 4096UL
#define PAGES (80UL << 20 >> 12)

/* In `counts`, beside MAIN: what it found wrong in its memory. */
#define WRONG 6

static pid_t pid;
static struct pidmem_process *process;
static char directory[] = "/tmp/pidmem-unit-XXXXXX";

/* Writes all over its memory, and looks whether what it wrote is there. */
static void victim_writes(void)
{
	unsigned char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *written = calloc(1, PAGES);

	if (memory == MAP_FAILED || !written)
		_exit(1);
	memset(memory, 1, PAGES * PAGE);
	for (unsigned long i = 0;; i += 7919) {
		unsigned long page = i % PAGES;
		counts[WRONG] += memory[page * PAGE] != (unsigned char)(written[page] + 1) ||
				 memory[page * PAGE + PAGE - 1] != 1;
		memory[page * PAGE] = (unsigned char)(++written[page] + 1);
		counts[MAIN]++;
		if (i % 50 == 0)
			sched_yield();
	}
}

static int begin(void **state)
{
	(void)state;
	victims_begin(state);
	pid = start(victim_writes);
	wait_for_count(MAIN);
	return mkdtemp(directory) ? pidmem_process_open(pid, NULL, NULL, &process) : -1;
}

static int end(void **state)
{
	(void)state;
	pidmem_process_close(process);
	finish(pid);
	return rmdir(directory);
}

static size_t count_entries(const char *path)
{
	AUTO_DIR list = opendir(path);
	size_t count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	return count;
}

static bool is_tracked(void)
{
	AUTO_BUFFER text = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/smaps", pid);
	assert_int_equal(buffer_read_file(&text, AT_FDCWD, path), 0);
	return strstr(text.bytes, " uw") != NULL;
}

static void assert_untouched(size_t descriptors)
{
	char word[32], path[64];

	assert_int_equal(count_entries(directory), 2); /* . and .. */
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* the victim is the only child that is left, and lives */
	assert_false(is_tracked());
	read_status(pid, "TracerPid:", word);
	assert_string_equal(word, "0");
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	AUTO_BUFFER children = { 0 };
	assert_int_equal(buffer_read_file(&children, AT_FDCWD, path), 0);
	assert_int_equal(children.size, 0);
	assert_runs(MAIN);
	assert_int_equal(counts[WRONG], 0);
}

struct plan {
	unsigned calls, cancel_at;
	uint64_t done;
	bool returned;
};

static int watch(void *user, const struct pidmem_progress *progress)
{
	struct plan *plan = user;
	char word[32];

	assert_false(plan->returned);
	assert_true(progress->done >= plan->done && progress->expected >= progress->done);
	plan->done = progress->done;
	read_status(pid, "TracerPid:", word);
	assert_string_equal(word, "0"); /* nothing stands still meanwhile */
	return ++plan->calls == plan->cancel_at;
}

static int open_freeze(struct plan *plan, struct pidmem_error *error, struct pidmem_freeze **freeze)
{
	struct pidmem_freeze_options options = PIDMEM_INIT(options);
	int result;

	options.engine = PIDMEM_ENGINE_PRECOPY;
	options.directory = directory;
	options.progress = watch;
	options.user = plan;
	result = pidmem_freeze_open(&process, 1, &options, error, freeze);
	plan->returned = true;
	return result;
}

static void test_cancel(void **state)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);
	unsigned seed = (unsigned)time(NULL), cancelled = 0;
	struct pidmem_freeze *freeze = NULL;
	struct pidmem_error error;
	struct plan whole = { 0 };

	(void)state;
	if (open_freeze(&whole, &error, &freeze) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(pidmem_freeze_describe(freeze, 0, NULL, &report), 0);
	if (report.engine != PIDMEM_ENGINE_PRECOPY) {
		print_message("# %s\n", report.fallback);
		pidmem_freeze_close(freeze);
		skip();
	}
	pidmem_freeze_close(freeze);
	size_t descriptors = count_entries("/proc/self/fd"); /* some the handle opens when it first needs them */
	assert_untouched(descriptors);
	assert_true(whole.done >= PAGES * PAGE);
	assert_true(whole.calls > PAGES * PAGE >> 23); /* at least after every 8 MiB */
	print_message("# seed %u\n", seed);
	for (unsigned i = 0; i < 8; i++) {
		struct plan plan = { .cancel_at = i == 0 ? 1 : 1 + (unsigned)rand_r(&seed) % whole.calls };
		freeze = NULL;
		int result = open_freeze(&plan, &error, &freeze);
		if (plan.calls < plan.cancel_at) { /* fewer passes were needed */
			assert_int_equal(result, 0);
			pidmem_freeze_close(freeze);
			continue;
		}
		assert_int_equal(result, -ECANCELED);
		assert_int_equal(error.code, PIDMEM_CANCELLED);
		assert_int_equal(plan.calls, plan.cancel_at); /* and not asked again */
		assert_null(freeze);
		assert_untouched(descriptors);
		cancelled++;
	}
	assert_true(cancelled > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cancel, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
