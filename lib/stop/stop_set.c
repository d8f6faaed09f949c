/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stopping many threads at once. All are seized first, which stops nothing; then all are asked to stop, and only then
 * are the stops collected: so the pause does not add up thread by thread, and there is no race with SIGSTOP, which
 * PTRACE_ATTACH would send (ptrace(2), Linux 3.4). Threads that were started meanwhile by one not stopped yet are found
 * by looking again until a look finds nothing new: then all that could start one are stopped.
 */
#include "stop/stop_set.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "process/process.h"
#include "process/status.h"
#include "stop/seize.h"

bool stop_wait(int news, uint64_t until)
{
	struct pollfd wanted = { .fd = news, .events = POLLIN };
	struct signalfd_siginfo told;
	uint64_t now = now_us();

	if (now >= until || poll(&wanted, 1, (int)((until - now + 999) / 1000)) <= 0)
		return false;
	return read(news, &told, sizeof told) > 0;
}

static void interrupt_new(struct stop_process *process)
{
	for (size_t i = process->sorted; i < process->count; i++)
		if (process->tracees[i].state == TRACEE_RUNNING && tracee_interrupt(process->tracees[i].tid) < 0)
			process->tracees[i].state = TRACEE_GONE;
	seize_sort(process);
}

/* Take what news there is of threads that have not stopped: how many are left. */
static size_t look_at_all(struct stop_set *set)
{
	size_t left = 0;

	for (size_t i = 0; i < set->count; i++)
		for (size_t k = 0; k < set->processes[i].count; k++) {
			struct tracee *tracee = &set->processes[i].tracees[k];
			if (tracee->state == TRACEE_RUNNING)
				tracee_look(tracee);
			left += tracee->state == TRACEE_RUNNING;
		}
	return left;
}

/* Will it stop if it is given time? Not while it is in the kernel and not to be woken (a disk, a file system whose
 * server hangs, vfork(2)), in state D; nor a first thread that has ended before the others. */
static bool will_stop(pid_t pid, pid_t tid)
{
	AUTO_BUFFER text = { 0 };
	struct process_stat stat;
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/task/%d/stat", pid, tid);
	return buffer_read_file(&text, AT_FDCWD, name) == 0 && stat_parse(text.bytes, text.size, &stat) == 0 &&
	       stat.state != 'D' && !process_state_is_end(stat.state);
}

/* Does some thread not stop for want of a processor only? Then it is worth waiting for. */
static bool some_will_stop(const struct stop_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t k = 0; k < set->processes[i].count; k++)
			if (set->processes[i].tracees[k].state == TRACEE_RUNNING &&
			    will_stop(set->processes[i].pid, set->processes[i].tracees[k].tid))
				return true;
	return false;
}

/* On a busy machine runnable threads stop late, but within this many times the patience they do. */
#define PATIENCES 50

static void collect(struct stop_set *set, int news, unsigned patience_ms)
{
	for (unsigned i = 0; i < PATIENCES && look_at_all(set) > 0; i++) {
		uint64_t until = now_us() + patience_ms * 1000ULL;
		while (stop_wait(news, until))
			if (look_at_all(set) == 0)
				return;
		if (!seize_news(set) && !some_will_stop(set))
			return;
	}
}

/* Seize and stop what has not been seen yet: how many threads that was, or -errno. */
static int stop_new(struct stop_set *set, int news, unsigned patience_ms, struct pidmem_error *error)
{
	int found = 0;

	for (size_t i = 0; i < set->count; i++) {
		int result = seize_new(set, &set->processes[i], error);
		if (result < 0)
			return result;
		found += result;
	}
	if (found == 0)
		return 0;
	if (set->first_us == 0)
		set->first_us = now_us();
	for (size_t i = 0; i < set->count; i++)
		interrupt_new(&set->processes[i]);
	collect(set, news, patience_ms);
	return found;
}

static int check_stopped(const struct stop_process *process, struct pidmem_error *error)
{
	size_t running = 0;

	for (size_t i = 0; i < process->count; i++) {
		if (process->tracees[i].state == TRACEE_STOPPED)
			return 0;
		running += process->tracees[i].state == TRACEE_RUNNING;
	}
	if (running)
		return fail(error, PIDMEM_SYSTEM, ETIMEDOUT,
			    "no thread of process %d stops: all are in uninterruptible waits", process->pid);
	return fail(error, PIDMEM_GONE, ESRCH, "process %d has ended", process->pid);
}

int stop_set_stop(struct stop_set *set, int news, const pid_t *pids, size_t count, unsigned patience_ms,
		  struct pidmem_error *error)
{
	int result;

	struct stop_process *grown = realloc(set->processes, (set->count + count) * sizeof *grown);
	if (!grown)
		return fail_memory(error);
	set->processes = grown;
	set->last_us = 0;
	for (size_t i = 0; i < count; i++)
		set->processes[set->count++] = (struct stop_process){ .pid = pids[i] };
	while ((result = stop_new(set, news, patience_ms, error)) > 0)
		continue;
	for (size_t i = 0; result == 0 && i < set->count; i++)
		result = check_stopped(&set->processes[i], error);
	if (result < 0)
		stop_set_resume(set);
	return result;
}

/* Was anything stopped? */
static bool resume(struct stop_process *process)
{
	bool any = false;

	process->resumed = true;
	for (size_t i = 0; i < process->count; i++) {
		struct tracee *tracee = &process->tracees[i];
		any |= tracee->state == TRACEE_STOPPED;
		/* One that was killed, whose end is news to come; and a thread that calls execve(2) takes the number of
		 * the first one over, be that stopped or ended. */
		if (tracee->state == TRACEE_ENDED ||
		    (tracee->state == TRACEE_STOPPED && tracee_detach(tracee->tid) < 0))
			tracee->state = TRACEE_RUNNING;
		else if (tracee->state == TRACEE_STOPPED)
			tracee->state = TRACEE_GONE;
	}
	return any;
}

void stop_set_resume(struct stop_set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->count; i++)
		any |= resume(&set->processes[i]);
	if (set->first_us && any)
		set->last_us = now_us() - set->first_us;
	set->first_us = 0;
}

void stop_set_resume_one(struct stop_set *set, size_t index)
{
	resume(&set->processes[index]);
	for (size_t i = 0; i < set->count; i++)
		if (!set->processes[i].resumed)
			return;
	set->first_us = 0;
}

/* A thread that has ended is handed on to its parent only when its tracer has heard of it. */
void stop_set_news(struct stop_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct stop_process *process = &set->processes[i];
		for (size_t k = 0; k < process->count; k++)
			if (process->tracees[k].state == TRACEE_RUNNING || process->tracees[k].state == TRACEE_STOPPED)
				tracee_look(&process->tracees[k]);
		if (process->resumed)
			resume(process);
	}
}
