/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking hold of a process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/worker.h"
#include "process/process.h"
#include "process/status.h"

static int read_status(int dir, struct process_status *status)
{
	AUTO_BUFFER text = { 0 };
	int result = buffer_read_file(&text, dir, "status");

	return result < 0 ? result : status_parse(text.bytes, text.size, status);
}

static int read_stat(int dir, struct process_stat *stat)
{
	AUTO_BUFFER text = { 0 };
	int result = buffer_read_file(&text, dir, "stat");

	return result < 0 ? result : stat_parse(text.bytes, text.size, stat);
}

static bool has_ended(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/* A directory task/TID of a thread that lives; -1 if none does. */
static int open_living_thread(const struct pidmem_process *process)
{
	struct pidmem_threads *threads;
	int found = -1;

	if (pidmem_threads_read((struct pidmem_process *)(uintptr_t)process, NULL, &threads) < 0)
		return -1;
	for (size_t i = 0; i < pidmem_threads_count(threads) && found < 0; i++) {
		const struct pidmem_thread *thread = pidmem_threads_get(threads, i);
		char name[32];
		snprintf(name, sizeof name, "task/%d", thread->tid);
		if (!has_ended(thread->state))
			found = openat(process->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	pidmem_threads_free(threads);
	return found;
}

/* Its directory cannot be looked into. */
static int cannot_look(pid_t pid, int number, struct pidmem_error *error)
{
	switch (number) {
	case ENOENT:
	case ESRCH:
		return fail(error, PIDMEM_NO_PROCESS, ESRCH, "there is no process %d", pid);
	case EACCES:
	case EPERM: /* hidepid=1, or a filter of system calls */
		return fail(error, PIDMEM_ACCESS, number, "cannot read process %d", pid);
	default:
		return fail_sys(error, number, "/proc/%d", pid);
	}
}

static bool is_procfs(const char *proc)
{
	struct statfs status;

	return statfs(proc, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

/* What kind of thing has this number? Sets the fields that the handle keeps. */
static int identify(struct pidmem_process *process, struct pidmem_error *error)
{
	struct process_status status;
	struct process_stat stat = { 0 };
	pid_t pid = process->pid;
	int result = read_status(process->dir, &status);

	if (result == 0)
		result = read_stat(process->dir, &stat);
	if (result < 0)
		return cannot_look(pid, -result, error);
	memcpy(process->name, status.name, sizeof process->name);
	process->start_time = stat.start_time;
	if (status.tgid != pid) {
		result = fail(error, PIDMEM_THREAD_ID, EINVAL, "%d is a thread of process %d (%s), not a process", pid,
			      status.tgid, status.name);
		if (error)
			error->tid = status.tgid;
		return with_hint(error, result, "name the process: %d", status.tgid);
	}
	if (stat.flags & PROCESS_FLAG_KTHREAD)
		return fail(error, PIDMEM_KERNEL_THREAD, EINVAL,
			    "%d (%s) is a kernel thread: it has no memory of its own", pid, status.name);
	if (!has_ended(status.state)) {
		process->memory_dir = process->dir;
		return 0;
	}
	process->memory_dir = open_living_thread(process);
	if (process->memory_dir < 0)
		return fail(error, PIDMEM_ZOMBIE, ESRCH,
			    "process %d (%s) has ended and waits for its parent (a zombie): its memory is gone", pid,
			    status.name);
	return 0;
}

/*
 * A pidfd tells the end of the process by itself. But it is opened by number in our PID namespace, and procfs may show
 * another one: ask that procfs which process the pidfd is.
 */
static int open_pidfd(const char *proc, pid_t pid)
{
	AUTO_FD fd = (int)syscall(SYS_pidfd_open, pid, 0);
	AUTO_BUFFER text = { 0 };
	char path[4096];

	if (fd < 0 || (size_t)snprintf(path, sizeof path, "%s/self/fdinfo/%d", proc, fd) >= sizeof path ||
	    buffer_read_file(&text, AT_FDCWD, path) < 0)
		return -1;
	const char *line = strstr(text.bytes, "\nPid:");
	return line && atoi(line + strlen("\nPid:")) == pid ? take_fd(&fd) : -1;
}

int pidmem_process_open(pid_t pid, const struct pidmem_open_options *options, struct pidmem_error *error,
			struct pidmem_process **out)
{
	const char *proc = options && options->proc ? options->proc : "/proc";
	char path[4096];

	if (pid <= 0)
		return fail(error, PIDMEM_USAGE, EINVAL, "%d cannot be a process ID", pid);
	if ((size_t)snprintf(path, sizeof path, "%s/%d", proc, pid) >= sizeof path)
		return fail(error, PIDMEM_USAGE, ENAMETOOLONG, "the path of procfs is too long");
	AUTO_PROCESS process = calloc(1, sizeof *process);
	if (!process)
		return fail_memory(error);
	*process = (struct pidmem_process){
		.pid = pid, .dir = -1, .memory_dir = -1, .pidfd = -1, .mem = -1, .pagemap = -1, .maps = -1
	};
	process->pidfd = open_pidfd(proc, pid);
	process->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process->dir < 0 && errno == ENOENT && !is_procfs(proc))
		return with_hint(error,
				 fail(error, PIDMEM_NO_PROCESS, ESRCH, "there is no process %d in %s", pid, proc),
				 "%s is not a procfs", proc);
	if (process->dir < 0)
		return cannot_look(pid, errno, error);
	int result = identify(process, error);
	if (result < 0)
		return result;
	*out = take(process);
	return 0;
}

void pidmem_process_close(struct pidmem_process *process)
{
	if (!process)
		return;
	worker_free(process->worker);
	cleanup_fd(&process->maps);
	cleanup_fd(&process->pagemap);
	cleanup_fd(&process->mem);
	if (process->memory_dir != process->dir)
		cleanup_fd(&process->memory_dir);
	cleanup_fd(&process->dir);
	cleanup_fd(&process->pidfd);
	free(process);
}

/* The address space that `mem` was opened on has no users any more: reads give 0 bytes (mem_rw() in fs/proc/base.c),
 * while address 0, never mapped, gives EIO as long as it lives. */
bool process_address_space_gone(const struct pidmem_process *process)
{
	char byte;

	return process->mem >= 0 && pread(process->mem, &byte, 1, 0) == 0;
}

int pidmem_process_check(struct pidmem_process *process, struct pidmem_error *error)
{
	struct process_status status;
	bool gone = process_address_space_gone(process);

	if (process->mem >= 0 && !gone)
		return 0;
	/* After exec there is another address space; a process on its way out has none, before it becomes a zombie. */
	if (read_status(process->memory_dir, &status) < 0 || has_ended(status.state) || (gone && !status.has_memory))
		return fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) has ended", process->pid, process->name);
	if (gone)
		return fail(error, PIDMEM_EXECED, ESRCH,
			    "process %d (%s) replaced itself by another program while it was read", process->pid,
			    process->name);
	return 0;
}

uint64_t process_memory_used(struct pidmem_process *process)
{
	struct process_status status;

	return read_status(process->memory_dir, &status) < 0 ? 0 : status.vm_rss + status.vm_swap;
}

pid_t pidmem_process_pid(const struct pidmem_process *process)
{
	return process->pid;
}

const char *pidmem_process_name(const struct pidmem_process *process)
{
	return process->name;
}

uint64_t pidmem_process_start_time(const struct pidmem_process *process)
{
	return process->start_time;
}

int pidmem_process_pidfd(const struct pidmem_process *process)
{
	return process->pidfd;
}

ssize_t pidmem_process_command(struct pidmem_process *process, void *buffer, size_t size, struct pidmem_error *error)
{
	AUTO_FD fd = openat(process->dir, "cmdline", O_RDONLY | O_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < size) {
		ssize_t got = read(fd, (char *)buffer + done, size - done);
		if (got == 0)
			return (ssize_t)done;
		if (got > 0)
			done += (size_t)got;
		else if (errno != EINTR)
			break;
	}
	return fd >= 0 && done == size ? (ssize_t)done : fail_sys(error, errno, "/proc/%d/cmdline", process->pid);
}
