/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy is a child that clone(2) makes of the target when we say so, and that never runs an instruction of its own.
 *   CLONE_FILES, and then an empty table of its own: no descriptor of the target is held open by the copy
 *   exit signal 0: no SIGCHLD, and wait(2) without __WALL does not see it
 *   no CLONE_FS: a shared struct fs would make setns(2) fail in the target, and exec of a set-user-ID program lose it
 * Its end has to be waited for by its parent, which is the target: a wait4() is injected as well. Until then nobody but
 * its tracer can see the zombie (wait_consider_task() in kernel/exit.c), so it is kept until the target stands still.
 */
#include "stop/copies.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "process/process.h"
#include "process/status.h"
#include "stop/call.h"

#define OOM_SCORE "1000"
/* How long one thread of a target may take to stop so that it can wait for a copy. */
#define REAP_PATIENCE_US 2000000

/* Some thread that can make calls: 0, or the first reason against it. */
static int find_caller(const struct stop_process *process, struct caller *caller)
{
	int reason = -ESRCH;

	for (size_t i = 0; i < process->count; i++) {
		if (process->tracees[i].state != TRACEE_STOPPED)
			continue;
		int result = call_begin(caller, process->pid, process->tracees[i].tid);
		if (result == 0)
			return 0;
		reason = reason == -ESRCH ? result : reason;
	}
	return reason;
}

/* What a call held back goes to the whole process again, as it came: only SIGSTOP can. */
static void pass_on(const struct caller *caller)
{
	if (caller->held)
		kill(caller->pid, caller->held);
}

/* When memory runs short, the kernel is to end the copy and not the target. */
static void offer_to_oom_killer(pid_t copy)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/oom_score_adj", copy);
	AUTO_FD fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
		return;
}

/* With CLOSE_RANGE_UNSHARE and everything to be closed the kernel copies nothing of the table, so that nothing is
 * flushed or unlocked either (unshare_fd() in fs/file.c). Before Linux 5.9 it stays shared. */
static void drop_files(const struct caller *parent, pid_t copy)
{
	struct caller caller;

	if (call_begin_copy(&caller, parent, copy) == 0)
		call_make(&caller, caller.arch->calls.close_range,
			  (uint64_t[6]){ 0, (uint32_t)-1, CLOSE_RANGE_UNSHARE });
}

int copy_make(const struct stop_process *process, struct copy *copy)
{
	struct caller caller;
	int result = find_caller(process, &caller);

	if (result < 0)
		return result;
	long own = call_make(&caller, caller.arch->calls.clone, (uint64_t[6]){ CLONE_FILES });
	if (caller.child) {
		offer_to_oom_killer(caller.child);
		drop_files(&caller, caller.child);
	}
	call_end(&caller);
	pass_on(&caller);
	if (own < 0)
		return (int)own;
	if (!caller.child)
		return -ESRCH;
	*copy = (struct copy){ .parent = process->pid, .pid = caller.child, .own_pid = (pid_t)own };
	return 0;
}

/* Stop one thread that can make calls, other than by a stop set: the process runs on. */
static int stop_one(pid_t pid, int news, struct caller *caller)
{
	char name[64];
	int reason = -ESRCH;

	snprintf(name, sizeof name, "/proc/%d/task", pid);
	AUTO_DIR list = open_directory_at(AT_FDCWD, name);
	for (const struct dirent *entry; list && (entry = readdir(list));) {
		struct tracee tracee = { .tid = atoi(entry->d_name) };
		uint64_t until = now_us() + REAP_PATIENCE_US;
		if (tracee.tid <= 0 || tracee_seize(tracee.tid, 0) < 0 || tracee_interrupt(tracee.tid) < 0)
			continue;
		do
			tracee_look(&tracee);
		while (tracee.state == TRACEE_RUNNING && stop_wait(news, until));
		if (tracee.state != TRACEE_STOPPED)
			continue;
		reason = call_begin(caller, pid, tracee.tid);
		if (reason == 0)
			return 0;
		tracee_detach(tracee.tid, 0);
	}
	return reason;
}

/* Let the caller's process wait for a child. */
static void wait_for(struct caller *caller, pid_t child)
{
	call_make(caller, caller->arch->calls.wait4, (uint64_t[6]){ (uint64_t)child, 0, (uint32_t)__WALL | WNOHANG });
	call_end(caller);
}

void copy_reap(struct copy *copy, const struct stop_process *stopped, int news)
{
	siginfo_t ended;
	struct caller caller;
	uint64_t begun;

	if (copy->reaped)
		return;
	copy->reaped = true;
	kill(copy->pid, SIGKILL);
	/* Its memory is given back first, which takes as long as it takes, while the target runs. */
	waitid(P_PID, (id_t)copy->pid, &ended, WEXITED | WNOWAIT | __WALL);
	begun = now_us();
	int result = stopped ? find_caller(stopped, &caller) : stop_one(copy->parent, news, &caller);
	waitpid(copy->pid, NULL, __WALL);
	if (result < 0) /* the target has ended as well, and somebody else waits; or it is left to the next run */
		return;
	wait_for(&caller, copy->own_pid);
	if (stopped) {
		pass_on(&caller);
		return;
	}
	tracee_detach(caller.tid, caller.held);
	copy->reaping_us = now_us() - begun;
}

/* Field 38 of proc_pid_stat(5), exit_signal; -1 if it cannot be had. */
static int exit_signal(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int field = 2; at && field < 38; field++)
		at = strchr(at + 1, ' ');
	return at ? atoi(at) : -1;
}

/* The number that its parent knows it by: the last one of NSpid. */
static pid_t own_number(int dir)
{
	AUTO_BUFFER text = { 0 };
	pid_t pid = 0;

	if (buffer_read_file(&text, dir, "status") < 0)
		return 0;
	const char *line = strstr(text.bytes, "\nNSpid:");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	for (const char *at = line; at && (at = strchr(at, '\t')) && at < end; at++)
		pid = atoi(at + 1);
	return pid;
}

static bool is_one_of(pid_t pid, const pid_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Is it a copy of one of these processes that was left? Its number, or 0. */
static pid_t is_leftover(const char *name, const pid_t *parents, size_t count, pid_t *parent)
{
	AUTO_BUFFER text = { 0 }, score = { 0 };
	struct process_stat stat;
	char path[300];

	snprintf(path, sizeof path, "/proc/%s", name);
	AUTO_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || buffer_read_file(&text, dir, "stat") < 0 || stat_parse(text.bytes, text.size, &stat) < 0 ||
	    stat.state != 'Z' || !is_one_of(stat.ppid, parents, count) || exit_signal(text.bytes) != 0 ||
	    buffer_read_file(&score, dir, "oom_score_adj") < 0 || strcmp(score.bytes, OOM_SCORE "\n") != 0)
		return 0;
	*parent = stat.ppid;
	return own_number(dir);
}

void copies_reap_leftovers(const pid_t *parents, size_t count, int news)
{
	AUTO_DIR list = open_directory_at(AT_FDCWD, "/proc");

	for (const struct dirent *entry; list && (entry = readdir(list));) {
		struct caller caller;
		pid_t parent, child = atoi(entry->d_name) > 0 ? is_leftover(entry->d_name, parents, count, &parent) : 0;
		if (!child || stop_one(parent, news, &caller) < 0)
			continue;
		wait_for(&caller, child);
		tracee_detach(caller.tid, caller.held);
	}
}
