/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of /proc/PID that show its memory: opening them, and asking the kernel through them. */
#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "process/kernel.h"
#include "process/process.h"

/* errno when opening: EACCES and EPERM are the kernel's "no"; ESRCH and ENOENT mean that it is gone. */
static int open_failed(struct pidmem_process *process, const char *name, int number, struct pidmem_error *error)
{
	switch (number) {
	case EACCES:
	case EPERM:
		return fail(error, PIDMEM_ACCESS, number, "cannot read process %d (%s)", process->pid, process->name);
	case ESRCH:
	case ENOENT:
		return process_gone(process, error);
	default:
		return fail_sys(error, number, "/proc/%d/%s", process->pid, name);
	}
}

int process_open_memory_file(struct pidmem_process *process, const char *name, struct pidmem_error *error)
{
	int fd, number;

	do {
		fd = openat(process->memory_dir, name, O_RDONLY | O_CLOEXEC);
		number = errno;
		/* Of a thread that has ended, a file may be opened all the same, and is empty. */
		if (!process_find_memory(process))
			return fd >= 0 ? fd : open_failed(process, name, number, error);
		cleanup_fd(&fd);
	} while (true);
}

static int keep_open(struct pidmem_process *process, const char *name, int *fd, struct pidmem_error *error)
{
	if (*fd < 0) {
		int opened = process_open_memory_file(process, name, error);
		if (opened < 0)
			return opened;
		*fd = opened;
	}
	return *fd;
}

int process_mem(struct pidmem_process *process, struct pidmem_error *error)
{
	return keep_open(process, "mem", &process->mem, error);
}

int process_pagemap(struct pidmem_process *process, struct pidmem_error *error)
{
	return keep_open(process, "pagemap", &process->pagemap, error);
}

int process_query(struct pidmem_process *process, struct procmap_query *question)
{
	int fd = keep_open(process, "maps", &process->maps, NULL);

	question->size = sizeof *question;
	question->query_flags |= PROCMAP_QUERY_COVERING_OR_NEXT_VMA;
	if (fd >= 0 && ioctl(fd, PROCMAP_QUERY, question) == 0)
		return 1;
	return fd >= 0 && (errno == ENOENT || errno == ESRCH) ? 0 : -1;
}
