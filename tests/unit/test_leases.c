/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child of a caller that has begun to read the list of leases: the thread that reads it is not there. */
#include "proc_root.h"
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/leases.h"
#include "process/process.h"

#define LOCKS "1: POSIX  ADVISORY  READ 7 08:01:99 0 EOF\n2: LEASE  ACTIVE    WRITE 7 08:01:4242 0 EOF\n"

static int in_child(struct leases *leases, const struct pidmem_process *process, const struct pidmem_region *region)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(leases_forbid(leases, process, region));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_child_reads_itself(void **state)
{
	struct pidmem_region held = { .inode = 4242, .dev_major = 8, .dev_minor = 1 };
	struct pidmem_region other = { .inode = 99, .dev_major = 8, .dev_minor = 1 };
	struct pidmem_process process = { .dir = -1, .memory_dir = -1 };
	struct proc_root *root = proc_root_new();
	struct leases leases = { 0 };
	cpu_set_t set;
	char path[128];

	(void)state;
	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < 2) {
		proc_root_free(root);
		skip(); /* no thread is started then */
	}
	snprintf(path, sizeof path, "%s/%d", root->path, TARGET);
	process.dir = process.memory_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(process.dir >= 0);

	/* The thread gets no further than a pipe that says nothing, however long it takes until fork(). */
	assert_int_equal(mkfifoat(process.dir, "../locks", 0600), 0);
	int pipe = openat(process.dir, "../locks", O_RDWR | O_CLOEXEC);
	assert_true(pipe >= 0);
	leases_begin(&leases, &process);
	drop(root, "locks");
	put(root, "locks", LOCKS);
	assert_int_equal(in_child(&leases, &process, &held), 1);
	assert_int_equal(in_child(&leases, &process, &other), 0);

	close(pipe);
	leases_done(&leases);
	close(process.dir);
	proc_root_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_reads_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
