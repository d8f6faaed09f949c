/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handle on a process whose threads end, or which becomes another program. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/kernel.h"
#include "process/process.h"

/* A child does its next step for each byte on `orders`, and answers with one on `answers`. */
static int orders[2], answers[2];
static pid_t child;

static void await_order(void)
{
	char byte;

	if (read(orders[0], &byte, 1) != 1)
		_exit(1);
}

static void answer(void)
{
	if (write(answers[1], "x", 1) != 1)
		_exit(1);
}

static void give_order(void)
{
	char byte;

	assert_int_equal(write(orders[1], "x", 1), 1);
	assert_int_equal(read(answers[0], &byte, 1), 1);
}

static int begin(void (*life)(void))
{
	char byte;

	if (pipe2(orders, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0 || (child = fork()) < 0)
		return -1;
	if (child == 0) {
		close(orders[1]);
		life();
		_exit(1);
	}
	close(orders[0]);
	close(answers[1]); /* so that its end is an end of file */
	return read(answers[0], &byte, 1) == 1 ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(orders[1]);
	close(answers[0]);
	return 0;
}

/* ---------------------------------------------------------------------------------------- threads that end --- */

static char state_of(pid_t tid)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	AUTO_FD fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		return 0;
	return strrchr(text, ')')[2];
}

static pid_t second_tid;

static void *third(void *nothing)
{
	while (state_of(second_tid))
		sched_yield();
	answer();
	await_order();
	return nothing;
}

static void *second(void *nothing)
{
	pthread_t thread;

	second_tid = (pid_t)syscall(SYS_gettid);
	while (state_of(getpid()) != 'Z')
		sched_yield();
	answer();
	await_order();
	pthread_create(&thread, NULL, third, NULL);
	pthread_detach(pthread_self());
	return nothing;
}

/* The first thread goes at the first order, the second one at the next: a third one stays. */
static void end_threads(void)
{
	pthread_t thread;

	answer();
	await_order();
	pthread_create(&thread, NULL, second, NULL);
	syscall(SYS_exit, 0);
}

static int begin_threads(void **state)
{
	(void)state;
	return begin(end_threads);
}

static void assert_readable(struct pidmem_process *process)
{
	struct pidmem_maps *maps;
	struct pidmem_error error = { 0 };

	if (pidmem_maps_read(process, PIDMEM_MAPS_RESIDENCE, &error, &maps) < 0)
		fail_msg("%s", error.text);
	pidmem_maps_free(maps);
	assert_int_equal(pidmem_process_check(process, NULL), 0);
}

/* Not used before its first thread ended: descriptors are opened when it has. */
static void assert_pages(struct pidmem_process *process)
{
	struct pidmem_pages *pages;
	struct pidmem_page_run run;

	assert_int_equal(pidmem_pages_open(process, 0, UINT64_MAX, NULL, &pages), 0);
	assert_int_equal(pidmem_pages_next(pages, NULL, &run), 1);
	pidmem_pages_close(pages);
	struct procmap_query question = { .query_addr = run.start };
	assert_int_not_equal(process_query(process, &question), 0); /* 0: nothing is mapped; -1: an old kernel */
}

static void test_threads_end(void **state)
{
	struct pidmem_process *process, *late, *unused;

	(void)state;
	assert_int_equal(pidmem_process_open(child, NULL, NULL, &process), 0);
	assert_int_equal(pidmem_process_open(child, NULL, NULL, &unused), 0);
	assert_readable(process);
	give_order();
	assert_pages(unused);
	pidmem_process_close(unused);
	assert_readable(process);
	assert_true(process->memory_dir != process->dir);
	assert_int_equal(pidmem_process_open(child, NULL, NULL, &late), 0);
	/* without the right to read, threads tell alone */
	cleanup_fd(&late->mem);
	late->mem = -1;
	assert_int_equal(pidmem_process_check(late, NULL), 0);
	give_order();
	assert_readable(process);
	assert_int_equal(pidmem_process_check(late, NULL), 0);
	assert_true(process_memory_used(late) > 0);
	pidmem_process_close(late);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(pidmem_process_check(process, NULL), -ESRCH);
	pidmem_process_close(process);
}

/* ------------------------------------------------------------------------------------------------- programs --- */

static void become_shell(void)
{
	answer();
	await_order();
	/* its first output is the answer that it runs */
	dup2(answers[1], 1);
	execl("/bin/sh", "sh", "-c", "printf x; kill -STOP $$", (char *)NULL);
}

static int begin_program(void **state)
{
	(void)state;
	return begin(become_shell);
}

/* Nothing was read before: opening the process is what counts. */
static void test_exec(void **state)
{
	struct pidmem_process *process;
	struct pidmem_error error;

	(void)state;
	assert_int_equal(pidmem_process_open(child, NULL, NULL, &process), 0);
	assert_int_equal(pidmem_process_check(process, &error), 0);
	assert_false(process_address_space_gone(process));
	give_order();
	assert_true(process_address_space_gone(process));
	assert_int_equal(pidmem_process_check(process, &error), -ESRCH);
	assert_int_equal(error.code, PIDMEM_EXECED);
	kill(child, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_true(process_address_space_gone(process));
	assert_int_equal(pidmem_process_check(process, &error), -ESRCH);
	assert_int_equal(error.code, PIDMEM_GONE);
	pidmem_process_close(process);
}

/* A process may map address 0: asking whether it lives must not touch that page. */
static void test_address_0(void **state)
{
	void *zero = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	struct pidmem_process *process;
	struct pidmem_pages *pages;
	struct pidmem_page_run run;

	(void)state;
	if (zero == MAP_FAILED) {
		print_message("vm.mmap_min_addr does not let this user map address 0\n");
		skip();
	}
	assert_int_equal(pidmem_process_open(getpid(), NULL, NULL, &process), 0);
	assert_int_equal(pidmem_process_check(process, NULL), 0);
	assert_int_equal(pidmem_pages_open(process, 0, 4096, NULL, &pages), 0);
	assert_int_equal(pidmem_pages_next(pages, NULL, &run), 0);
	pidmem_pages_close(pages);
	pidmem_process_close(process);
	munmap(zero, 4096);
}

/* ---------------------------------------------------------------------------------------------- descriptors --- */

/* A lack of descriptors is not the end of the process, and no thread is dropped for it. */
static void test_no_descriptors(void **state)
{
	struct pidmem_process *process;
	struct pidmem_threads *threads;
	struct pidmem_error error;
	struct rlimit before, now;
	AUTO_FD first_free = -1;

	(void)state;
	assert_int_equal(pidmem_process_open(child, NULL, NULL, &process), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	first_free = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (rlim_t room = 1; room < 3; room++) { /* none at all, or for the directory alone */
		now = before;
		now.rlim_cur = (rlim_t)first_free + room;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		int result = pidmem_threads_read(process, &error, &threads);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(result, -EMFILE);
		assert_int_equal(error.code, PIDMEM_SYSTEM);
	}
	pidmem_process_close(process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_threads_end, begin_threads, stop),
		cmocka_unit_test_setup_teardown(test_exec, begin_program, stop),
		cmocka_unit_test(test_address_0),
		cmocka_unit_test_setup_teardown(test_no_descriptors, begin_program, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
