/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the descendants of processes. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc_root.h"
#include "process/children.h"

static void test_families(void **state)
{
	/* 10 has 11 and 12; 12 has 13; 20 is not related; 11 is this program, whose children are its helpers. */
	static const struct parentage all[] = { { 13, 12, false }, { 12, 10, false }, { 11, 10, false },
						{ 14, 11, false }, { 20, 1, false },  { 10, 1, false } };
	pid_t pids[16] = { 10 };
	size_t count = 1;

	(void)state;
	children_select(all, sizeof all / sizeof *all, 11, pids, &count);
	assert_int_equal(count, 4);
	assert_int_equal(pids[0], 10);
	assert_int_equal(pids[1], 12);
	assert_int_equal(pids[2], 11);
	assert_int_equal(pids[3], 13);
	/* Once more: nothing is added twice. */
	children_select(all, sizeof all / sizeof *all, 11, pids, &count);
	assert_int_equal(count, 4);
}

/* A real one: a child of its first thread, a child of another one, and a grandchild. */
enum { FIRST, OTHER, GRANDCHILD, MEMBERS };
static _Atomic pid_t *members;

__attribute__((noreturn)) static void wait_for_end(int member)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	members[member] = getpid();
	for (;;)
		pause();
}

static void *fork_other(void *unused)
{
	(void)unused;
	if (fork() == 0)
		wait_for_end(OTHER);
	for (;;)
		pause();
}

__attribute__((noreturn)) static void be_root(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_create(&thread, NULL, fork_other, NULL);
	if (fork() == 0) {
		if (fork() == 0)
			wait_for_end(GRANDCHILD);
		wait_for_end(FIRST);
	}
	for (;;)
		pause();
}

/* Exactly these are found. */
static void assert_finds(const pid_t *roots, size_t root_count, unsigned wanted)
{
	pid_t *found;
	size_t count;

	assert_int_equal(children_find(roots, root_count, &found, &count), 0);
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_int_equal(pid_is_among(members[i], found, count), wanted >> i & 1);
	assert_int_equal(count, (size_t)__builtin_popcount(wanted));
	free(found);
}

static struct pidmem_descendants *list(pid_t pid, const struct pidmem_open_options *options)
{
	struct pidmem_descendants *found;
	struct pidmem_error error;

	if (pidmem_descendants_read(&pid, 1, options, &error, &found) < 0)
		fail_msg("%s", error.text);
	return found;
}

/* The one with this PID, which must be there. */
static struct pidmem_descendant find(const struct pidmem_descendants *all, pid_t pid)
{
	const struct pidmem_descendant *one;
	size_t i = 0;

	while ((one = pidmem_descendants_get(all, i++)) && one->pid != pid)
		continue;
	assert_non_null(one);
	return one ? *one : (struct pidmem_descendant){ 0 };
}

/* All members with their parents; one that ends is a zombie, as its parent never waits for it. */
static void assert_lists(pid_t root)
{
	struct pidmem_descendants *all = list(root, NULL), *own = list(getpid(), NULL);
	bool ended = false;

	assert_int_equal(pidmem_descendants_count(all), MEMBERS);
	assert_int_equal(pidmem_descendants_count(own), MEMBERS + 1);
	assert_int_equal(find(own, root).parent, getpid());
	assert_int_equal(find(all, members[FIRST]).parent, root);
	assert_int_equal(find(all, members[OTHER]).parent, root);
	assert_int_equal(find(all, members[GRANDCHILD]).parent, members[FIRST]);
	for (int i = 0; i < MEMBERS; i++)
		assert_false(find(all, members[i]).ended);
	kill(members[OTHER], SIGKILL);
	while (!ended) {
		pidmem_descendants_free(all);
		all = list(root, NULL);
		ended = find(all, members[OTHER]).ended;
		sched_yield();
	}
	assert_int_equal(pidmem_descendants_count(all), MEMBERS);
	assert_false(find(all, members[FIRST]).ended);
	pidmem_descendants_free(all);
	pidmem_descendants_free(own);
}

static void test_a_real_family(void **state)
{
	(void)state;
	members = mmap(NULL, MEMBERS * sizeof *members, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(members != MAP_FAILED);
	pid_t root = fork();
	if (root == 0)
		be_root();
	for (int i = 0; i < MEMBERS; i++)
		while (members[i] == 0)
			sched_yield();
	assert_finds((pid_t[]){ root }, 1, 1U << FIRST | 1U << OTHER | 1U << GRANDCHILD);
	assert_finds((pid_t[]){ root, root }, 2, 1U << FIRST | 1U << OTHER | 1U << GRANDCHILD);
	assert_finds((pid_t[]){ root, members[FIRST] }, 2, 1U << OTHER | 1U << GRANDCHILD);
	assert_finds((pid_t[]){ members[OTHER] }, 1, 0);
	assert_finds((pid_t[]){ getpid() }, 1, 0); /* this program: its children are its helpers */
	assert_lists(root);
	kill(root, SIGKILL);
	waitpid(root, NULL, 0);
}

static void put_stat(struct proc_root *root, pid_t pid, const char *name, char state, pid_t parent, int threads)
{
	char file[32], line[256];

	snprintf(file, sizeof file, "%d/stat", pid);
	snprintf(line, sizeof line, "%d (%s) %c %d 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 %d 0 77 0 0\n", pid, name,
		 state, parent, threads);
	put(root, file, line);
}

/* Of another procfs, where numbers are used that mean nothing here. */
static void test_another_procfs(void **state)
{
	struct proc_root *root = proc_root_new();
	struct pidmem_open_options options = PIDMEM_INIT(options);

	(void)state;
	options.proc = root->path;
	put_stat(root, 50, "child", 'S', TARGET, 1);
	put_stat(root, 40, "of ) Z 1 (child", 'S', 50, 1);
	put_stat(root, 60, "zombie", 'Z', TARGET, 1);
	put_stat(root, 61, "headless", 'Z', TARGET, 3);
	put_stat(root, 70, "stranger", 'S', 1, 1);
	put(root, "71/stat", "71 (broken) S");
	struct pidmem_descendants *all = list(TARGET, &options);
	assert_int_equal(pidmem_descendants_count(all), 4);
	assert_null(pidmem_descendants_get(all, 4));
	assert_int_equal(pidmem_descendants_get(all, 3)->pid, 40); /* behind its parent */
	assert_int_equal(find(all, 40).parent, 50);
	assert_true(find(all, 60).ended);
	assert_false(find(all, 61).ended); /* its other threads run on */
	pidmem_descendants_free(all);
	all = list(99, &options);
	assert_int_equal(pidmem_descendants_count(all), 0);
	pidmem_descendants_free(all);
	proc_root_free(root);
}

static void test_what_cannot_be_listed(void **state)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_descendants *all = NULL;
	struct pidmem_error error;

	(void)state;
	assert_true(pidmem_descendants_read((pid_t[]){ 1, 0 }, 2, NULL, &error, &all) < 0);
	assert_int_equal(error.code, PIDMEM_USAGE);
	options.proc = "/nonexistent";
	assert_true(pidmem_descendants_read((pid_t[]){ 1 }, 1, &options, &error, &all) < 0);
	assert_int_equal(error.code, PIDMEM_SYSTEM);
	assert_null(all);
	pidmem_descendants_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_a_real_family),
		cmocka_unit_test(test_another_procfs),
		cmocka_unit_test(test_what_cannot_be_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
