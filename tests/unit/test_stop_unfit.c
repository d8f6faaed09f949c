/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes and threads that cannot make a copy, or only with care: the guard sees it and does no harm. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#if defined(__x86_64__) && __has_include(<sys/rseq.h>) /* glibc 2.35 */
#include <sys/rseq.h>
#endif

#include <cmocka.h>

#include "stop_victims.h"

#ifdef RSEQ_SIG
/* Stays in a critical section; each time it is cut, it counts and goes in again. SIGTRAP is blocked. */
static void be_critical(void)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	sigset_t trap;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	sigprocmask(SIG_BLOCK, &trap, NULL);
	__asm__ volatile(".pushsection .data, \"aw\"\n"
			 ".balign 32\n"
			 "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n"
			 ".popsection\n"
			 "5: leaq 3b(%%rip), %%rax\n movq %%rax, %0\n"
			 "1: jmp 1b\n"
			 "2: .long %c2\n" /* the signature stands before where it is aborted */
			 "4: incq %1\n jmp 5b\n"
			 : "=m"(area->rseq_cs), "+m"(counts[MAIN])
			 : "i"(RSEQ_SIG)
			 : "rax", "memory");
}

static void critical_section_is_aborted_without_a_trace(void **state)
{
	char blocked[32];

	(void)state;
	if (!__rseq_size) {
		print_message("no rseq here\n");
		skip();
	}
	pid_t pid = start(be_critical), copy;
	wait_for_count(MAIN);
	for (int i = 0; i < 10; i++) {
		AUTO_GUARD guard = stop(pid);
		long before = counts[MAIN];
		assert_int_equal(guard_copy(guard, 0, NULL, &copy), 0);
		uint64_t pause;
		assert_int_equal(guard_resume(guard, NULL, &pause), 0);
		while (counts[MAIN] == before)
			sched_yield();
	}
	read_status(pid, "SigBlk:", blocked);
	assert_int_equal(strtoull(blocked, NULL, 16), 1ULL << (SIGTRAP - 1));
	finish(pid);
}
#endif

/* It says READY < 0 where this kernel or user has not what it needs. */
static pid_t start_or_skip(void (*run)(void))
{
	pid_t pid = start(run);

	wait_for_count(READY);
	if (counts[READY] < 0) {
		print_message("not possible here: %s\n", strerror((int)-counts[READY]));
		finish(pid);
		skip();
	}
	return pid;
}

static void ready(long result)
{
	counts[READY] = result < 0 ? -errno : 1;
}

static void assert_no_copy(pid_t pid)
{
	struct pidmem_error error = { 0 };
	AUTO_GUARD guard = stop(pid);
	pid_t copy;
	uint64_t pause;

	assert_int_equal(guard_copy(guard, 0, &error, &copy), -EBUSY);
	assert_int_equal(error.code, PIDMEM_UNSUPPORTED);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
}

static void enter_new_namespace(void)
{
	ready(unshare(CLONE_NEWPID));
	wait_for_count(GO);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	counts[MAIN] = child;
	for (;;)
		pause();
}

/* A copy would be its init, and no other process could follow it. */
static void init_of_a_namespace_is_not_made(void **state)
{
	pid_t pid = start_or_skip(enter_new_namespace);

	(void)state;
	assert_no_copy(pid);
	counts[GO] = 1;
	wait_for_count(MAIN);
	assert_true(counts[MAIN] > 0);
	finish(pid);
}

static void watch_forks(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_EVENT_FORK };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	ready(fd < 0 ? -1 : ioctl(fd, UFFDIO_API, &api));
	victim_counts();
}

static void watched_fork_is_not_made(void **state)
{
	pid_t pid = start_or_skip(watch_forks);

	(void)state;
	assert_no_copy(pid);
	assert_runs(MAIN);
	finish(pid);
}

static void leave_to_ring(void)
{
	struct io_uring_params params = { .flags = IORING_SETUP_SQPOLL };

	ready(syscall(SYS_io_uring_setup, 8, &params));
	add_thread(count_in_thread);
	pthread_exit(NULL);
}

/* The first thread has ended, and the second never leaves the kernel: the third one makes the call. */
static void worker_of_io_uring_makes_no_call(void **state)
{
	pid_t pid = start_or_skip(leave_to_ring), copy;
	uint64_t pause;

	(void)state;
	wait_for_count(THREAD);
	wait_for_state(pid, 'Z');
	AUTO_GUARD guard = stop(pid);
	assert_int_equal(guard_copy(guard, 0, NULL, &copy), 0);
	assert_int_equal(guard_resume(guard, NULL, &pause), 0);
	assert_runs(THREAD);
	finish(pid);
}

/* A line for a cgroup's file. False where there is no such thing. */
static bool tell(const char *group, const char *name, long value)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", group, name);
	FILE *file = fopen(path, "we");
	if (!file)
		return false;
	bool written = fprintf(file, "%ld\n", value) > 0;
	return fclose(file) == 0 && written;
}

/* Where cgroups of version 2 are, as far as cgroups(7) and usage go. */
static bool make_group(char *group, size_t size)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < 2; i++) {
		snprintf(group, size, "%s/cgroup.procs", places[i]);
		if (access(group, W_OK) < 0)
			continue;
		snprintf(group, size, "%s/pidmem-test-%d", places[i], (int)getpid());
		return mkdir(group, 0755) == 0;
	}
	return false;
}

/* It stops, and never comes to a call. */
static void frozen_cgroup_is_seen(void **state)
{
	char group[64];

	(void)state;
	if (!make_group(group, sizeof group)) {
		print_message("no cgroup of version 2 to write to\n");
		skip();
	}
	pid_t pid = start(victim_counts);
	wait_for_count(MAIN);
	assert_true(tell(group, "cgroup.procs", pid));
	assert_true(tell(group, "cgroup.freeze", 1));
	assert_no_copy(pid);
	assert_true(tell(group, "cgroup.freeze", 0));
	assert_runs(MAIN);
	finish(pid);
	assert_int_equal(rmdir(group), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef RSEQ_SIG
		cmocka_unit_test(critical_section_is_aborted_without_a_trace),
#endif
		cmocka_unit_test(init_of_a_namespace_is_not_made),
		cmocka_unit_test(watched_fork_is_not_made),
		cmocka_unit_test(worker_of_io_uring_makes_no_call),
		cmocka_unit_test(frozen_cgroup_is_seen),
	};

	return cmocka_run_group_tests(tests, victims_begin, NULL);
}
