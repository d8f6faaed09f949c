/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop_victims.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/buffer.h"

_Atomic long *counts;
int let_go[2];

static void count(int which)
{
	for (;;) {
		counts[which]++;
		sched_yield();
	}
}

void *count_in_thread(void *unused)
{
	(void)unused;
	count(THREAD);
	return NULL;
}

void add_thread(void *(*run)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL))
		_exit(1);
}

void wait_for_count(int which)
{
	while (counts[which] == 0)
		sched_yield();
}

void assert_runs(int which)
{
	long before = counts[which];

	while (counts[which] == before)
		sched_yield();
}

pid_t start(void (*run)(void))
{
	for (int i = 0; i < COUNTS; i++)
		counts[i] = 0;
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run();
		_exit(0);
	}
	assert_true(pid > 1); /* kill(2) takes -1 for everybody */
	return pid;
}

void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct guard *stop(pid_t pid)
{
	struct pidmem_error error = { 0 };
	struct guard *guard;

	assert_int_equal(guard_start(&error, &guard), 0);
	assert_int_equal(guard_stop(guard, &pid, 1, 50, &error), 0);
	return guard;
}

/* The word behind `key` in /proc/PID/status. */
void read_status(pid_t pid, const char *key, char *word)
{
	AUTO_BUFFER text = { 0 };
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/status", pid);
	assert_int_equal(buffer_read_file(&text, AT_FDCWD, name), 0);
	assert_int_equal(sscanf(strstr(text.bytes, key) + strlen(key), "%31s", word), 1);
}

void wait_for_state(pid_t pid, char state)
{
	char word[32];

	do
		read_status(pid, "State:", word);
	while (word[0] != state);
}

void victim_counts(void)
{
	count(MAIN);
}

int victims_begin(void **state)
{
	(void)state;
	counts = mmap(NULL, COUNTS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return counts == MAP_FAILED || pipe(let_go) < 0;
}
