/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child of a caller that has begun to read the list of leases: the thread that reads it is not there. */
#include "proc_root.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* Is the other thread in read(2)? fork(2) while it begins, or allocates, leaves the child with locks that nobody opens
 * where memory is not that of the C library alone. */
static bool other_thread_reads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	bool reads = false;

	assert_non_null(tasks);
	for (const struct dirent *entry; (entry = readdir(tasks));) {
		char path[300];
		long call = -1;
		snprintf(path, sizeof path, "/proc/self/task/%s/syscall", entry->d_name);
		FILE *file = entry->d_name[0] != '.' && atoi(entry->d_name) != getpid() ? fopen(path, "re") : NULL;
		if (file && fscanf(file, "%ld", &call) == 1)
			reads |= call == SYS_read;
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return reads;
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
	leases_begin(&leases, &process);
	int pipe = openat(process.dir, "../locks", O_WRONLY | O_CLOEXEC); /* when the thread has opened it as well */
	assert_true(pipe >= 0);
	while (!other_thread_reads())
		sched_yield();
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
