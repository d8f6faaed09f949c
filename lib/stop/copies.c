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
#include "process/children.h"
#include "process/process.h"
#include "process/status.h"
#include "stop/call.h"
#include "stop/fitness.h"

#define OOM_SCORE "1000"
/* How long to wait for threads that cannot be woken when a target is stopped to wait for its copy. */
#define REAP_PATIENCE_MS 10

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

/* Let the caller's process wait for a child. */
static void wait_for(struct caller *caller, pid_t child)
{
	call_make(caller, caller->arch->calls.wait4, (uint64_t[6]){ (uint64_t)child, 0, (uint32_t)__WALL | WNOHANG });
}

int copy_make(const struct stop_process *process, struct copy *copy)
{
	struct caller caller;
	int result = call_begin_any(&caller, process);

	if (result < 0)
		return result;
	if (copy->forbidden || fitness_would_make_init(caller.tid)) {
		call_end(&caller);
		return -EBUSY;
	}
	long own = call_make(&caller, caller.arch->calls.clone, (uint64_t[6]){ CLONE_FILES });
	if (caller.child) {
		offer_to_oom_killer(caller.child);
		drop_files(&caller, caller.child);
	} else if (own > 0) /* killed before it was seen */
		wait_for(&caller, (pid_t)own);
	call_end(&caller);
	if (own < 0)
		return (int)own;
	if (!caller.child)
		return -ESRCH;
	*copy = (struct copy){
		.parent = process->pid, .pid = caller.child, .own_pid = (pid_t)own, .instruction = caller.instruction
	};
	return 0;
}

/* Giving memory back takes as long as it takes: while the target runs, and not when it waits for the copy's end. */
static void drop_memory(const struct copy *copy)
{
	struct caller caller, made = { .instruction = copy->instruction };

	if (call_begin_copy(&caller, &made, copy->pid) == 0)
		call_make(&caller, caller.arch->calls.munmap, (uint64_t[6]){ 0, caller.arch->user_size });
}

void copy_reap(struct copy *copy, const struct stop_process *stopped, int news)
{
	struct stop_set *set = &copy->reaping;
	struct caller caller;

	if (copy->reaped)
		return;
	copy->reaped = true;
	if (!stopped) {
		drop_memory(copy);
		/* All threads: none that waits for any child is to get this one. */
		if (stop_set_stop(set, news, &copy->parent, 1, REAP_PATIENCE_MS, NULL) == 0)
			stopped = &set->processes[0];
	}
	int result = stopped ? call_begin_any(&caller, stopped) : -ESRCH;
	kill(copy->pid, SIGKILL);
	waitpid(copy->pid, NULL, __WALL);
	/* Else the target has ended as well, and somebody else waits; or it is left to the next run. */
	if (result == 0) {
		wait_for(&caller, copy->own_pid);
		call_end(&caller);
	}
	if (set->first_us) {
		uint64_t first = set->first_us;
		stop_set_resume(set);
		copy->reaping_us = now_us() - first;
	}
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

/* Is it a copy of one of these processes that was left? Its number, or 0. */
static pid_t is_leftover(pid_t pid, const pid_t *parents, size_t count, pid_t *parent)
{
	AUTO_BUFFER text = { 0 }, score = { 0 };
	struct process_stat stat;
	char path[32];

	snprintf(path, sizeof path, "/proc/%d", pid);
	AUTO_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || buffer_read_file(&text, dir, "stat") < 0 || stat_parse(text.bytes, text.size, &stat) < 0 ||
	    stat.state != 'Z' || !pid_is_among(stat.ppid, parents, count) || exit_signal(text.bytes) != 0 ||
	    buffer_read_file(&score, dir, "oom_score_adj") < 0 || strcmp(score.bytes, OOM_SCORE "\n") != 0)
		return 0;
	*parent = stat.ppid;
	return own_number(dir);
}

size_t leftovers_find(const pid_t *parents, size_t count, struct leftover **out)
{
	AUTO_FREE pid_t *children = NULL;
	size_t child_count = 0, total = 0;

	if (children_find(parents, count, &children, &child_count) < 0)
		child_count = 0;
	struct leftover *found = calloc(child_count + 1, sizeof *found);
	for (size_t i = 0; found && i < child_count; i++) {
		struct leftover one = { 0 };
		one.own_pid = is_leftover(children[i], parents, count, &one.parent);
		if (one.own_pid)
			found[total++] = one;
	}
	*out = found;
	return total;
}

void leftovers_reap(const struct leftover *leftovers, size_t count, const struct stop_set *set)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < set->count; k++) {
			struct caller caller;
			if (set->processes[k].pid != leftovers[i].parent ||
			    call_begin_any(&caller, &set->processes[k]) < 0)
				continue;
			wait_for(&caller, leftovers[i].own_pid);
			call_end(&caller);
		}
}

/* Does this guard trace the process without knowing it? */
static bool is_lost(const char *name, const struct stop_set *set, const struct copy *copies)
{
	struct process_status status;
	char path[300];

	snprintf(path, sizeof path, "/proc/%s", name);
	AUTO_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || process_read_status(dir, &status) < 0 || status.tracer != getpid())
		return false;
	for (size_t i = 0; i < set->count; i++)
		if (status.pid == set->processes[i].pid || status.pid == copies[i].pid)
			return false;
	return true;
}

void copies_end_lost(const struct stop_set *set, const struct copy *copies)
{
	AUTO_DIR list = open_directory_at(AT_FDCWD, "/proc");

	for (const struct dirent *entry; list && (entry = readdir(list));) {
		pid_t pid = atoi(entry->d_name);
		if (pid <= 0 || !is_lost(entry->d_name, set, copies))
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, __WALL);
	}
}
