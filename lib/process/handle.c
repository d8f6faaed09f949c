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
#include "base/options.h"
#include "base/worker.h"
#include "process/process.h"
#include "process/status.h"

static int read_stat(int dir, struct process_stat *stat)
{
	AUTO_BUFFER text = { 0 };
	int result = buffer_read_file(&text, dir, "stat");

	return result < 0 ? result : stat_parse(text.bytes, text.size, stat);
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
	int result = process_read_status(process->dir, &status);

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
		return with_hint(error,
				 fail(error, PIDMEM_KERNEL_THREAD, EINVAL,
				      "%d (%s) is a kernel thread: it has no memory of its own", pid, status.name),
				 "`ps -N -p 2 --ppid 2` lists the processes that have memory");
	process->memory_dir = process->dir;
	result = status.has_memory ? 0 : process_seek_memory(process, error);
	if (result == 0 && process_state_is_end(status.state))
		return with_hint(
			error,
			fail(error, PIDMEM_ZOMBIE, ESRCH,
			     "process %d (%s) has ended and waits for its parent (a zombie): its memory is gone", pid,
			     status.name),
			"its parent, process %d, may live on", status.ppid);
	return result < 0 ? result : 0;
}

/*
 * A pidfd tells the end of the process by itself. But it is opened by number in our PID namespace, and procfs may show
 * another one: ask that procfs which process the pidfd is. Only after /proc/PID was opened, and before something was
 * read through it: then the number was that process's for all the time in between.
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

int pidmem_process_open(pid_t pid, const struct pidmem_open_options *given, struct pidmem_error *error,
			struct pidmem_process **out)
{
	struct pidmem_open_options options;
	char path[4096];
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0)
		return result;
	const char *proc = options.proc ? options.proc : "/proc";
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
	process->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process->dir < 0 && errno == ENOENT && !is_procfs(proc))
		return with_hint(error,
				 fail(error, PIDMEM_NO_PROCESS, ESRCH, "there is no process %d in %s", pid, proc),
				 "%s is not a procfs", proc);
	if (process->dir < 0)
		return cannot_look(pid, errno, error);
	process->pidfd = open_pidfd(proc, pid);
	result = identify(process, error);
	if (result < 0)
		return result;
	/* It shows that the program is replaced. Not to be allowed to read is no failure yet. */
	process->mem = process_open_memory_file(process, "mem", NULL);
	process->mem = process->mem < 0 ? -1 : process->mem;
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
