/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * execve(2) ends all other threads of its process, and waits until their tracer has taken note of that (de_thread() in
 * fs/exec.c). Meanwhile it holds a lock that PTRACE_SEIZE wants too. So news is taken while a thread is being seized,
 * by a handler of SIGCHLD; else that is blocked.
 */
#include "stop/seize.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/process.h"
#include "process/status.h"

static int compare(const void *left, const void *right)
{
	return ((const struct tracee *)left)->tid - ((const struct tracee *)right)->tid;
}

void seize_sort(struct stop_process *process)
{
	if (process->count)
		qsort(process->tracees, process->count, sizeof *process->tracees, compare);
	process->sorted = process->count;
}

static struct tracee *find_sorted(const struct stop_process *process, pid_t tid)
{
	struct tracee wanted = { .tid = tid };

	return process->sorted ? bsearch(&wanted, process->tracees, process->sorted, sizeof wanted, compare) : NULL;
}

static struct tracee *find(const struct stop_set *set, pid_t tid)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct stop_process *process = &set->processes[i];
		struct tracee *found = find_sorted(process, tid);
		for (size_t k = process->sorted; !found && k < process->count; k++)
			if (process->tracees[k].tid == tid)
				found = &process->tracees[k];
		if (found)
			return found;
	}
	return NULL;
}

/* There is no way to ask for the ends alone: a tracer hears of stops as well (wait_task_stopped()), and only once. */
bool seize_news(struct stop_set *set)
{
	bool some = false;
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		struct tracee *tracee = find(set, tid);
		some |= !WIFSTOPPED(status);
		if (tracee)
			tracee_note(tracee, status);
		else if (WIFSTOPPED(status)) /* asked by a set that has been resumed since, and late */
			ptrace(PTRACE_DETACH, tid, NULL, ptrace_number(status >> 16 ? 0 : (uint64_t)WSTOPSIG(status)));
	}
	return some;
}

/* Where handle_news() looks: a guard has one thread, and seizes for one set at a time. */
static struct stop_set *seizing;

static void handle_news(int signal)
{
	int saved = errno;

	(void)signal;
	seize_news(seizing);
	errno = saved;
}

static void mask_news(int how)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(how, &child, NULL);
}

/* The first thread of a process, which ended before the others; any other one. */
enum { IS_ENDED = 1, IS_GONE };
#define SEIZE_ATTEMPTS 5

/* Why can a thread not be seized? IS_ENDED, IS_GONE or -errno. */
static int refused(pid_t pid, pid_t tid, struct pidmem_error *error)
{
	char name[64];
	struct process_status status;

	snprintf(name, sizeof name, "/proc/%d/task/%d", pid, tid);
	AUTO_FD dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || process_read_status(dir, &status) < 0)
		return IS_GONE;
	if (process_state_is_end(status.state))
		return tid == pid ? IS_ENDED : IS_GONE;
	if (status.tracer == getpid()) /* stopped late, or in another set */
		return IS_GONE;
	if (!status.tracer)
		return fail(error, PIDMEM_ACCESS, EPERM, "process %d (%s) cannot be stopped", pid, status.name);
	fail(error, PIDMEM_ACCESS, EBUSY, "process %d (%s) cannot be stopped: process %d traces it already", pid,
	     status.name, status.tracer);
	if (error)
		error->tid = status.tracer;
	return -EBUSY;
}

/* Seize one thread: 0, or a failure that concerns the whole process. */
static int seize(struct stop_process *process, pid_t tid, struct pidmem_error *error)
{
	struct tracee *grown =
		array_grow(process->tracees, process->count, &process->capacity, sizeof *process->tracees);
	int result = -EPERM;

	if (!grown)
		return fail_memory(error);
	process->tracees = grown;
	process->tracees[process->count++] = (struct tracee){ .tid = tid, .state = TRACEE_RUNNING };
	/* Refused, and then alive and not traced: it may be another one since, see execve(2). */
	for (int i = 0; i < SEIZE_ATTEMPTS && result == -EPERM; i++) {
		mask_news(SIG_UNBLOCK);
		result = tracee_seize(tid);
		mask_news(SIG_BLOCK);
		if (result < 0)
			result = refused(process->pid, tid, error);
	}
	if (result == IS_ENDED)
		process->tracees[process->count - 1].state = TRACEE_ENDED;
	else if (result != 0)
		process->count--;
	return result < 0 ? result : 0;
}

int seize_new(struct stop_set *set, struct stop_process *process, struct pidmem_error *error)
{
	const struct sigaction action = { .sa_handler = handle_news, .sa_flags = SA_RESTART };
	size_t before = process->count;
	char name[64];

	seizing = set;
	sigaction(SIGCHLD, &action, NULL);
	seize_news(set); /* those of which the signal has been read already */
	snprintf(name, sizeof name, "/proc/%d/task", process->pid);
	AUTO_DIR list = open_directory_at(AT_FDCWD, name);
	if (!list)
		return errno == ENOENT || errno == ESRCH ? 0 : fail_sys(error, errno, "%s", name);
	for (const struct dirent *entry; (entry = readdir(list));) {
		pid_t tid = atoi(entry->d_name);
		int result = tid <= 0 || find_sorted(process, tid) ? 0 : seize(process, tid, error);
		if (result < 0)
			return result;
	}
	return (int)(process->count - before);
}
