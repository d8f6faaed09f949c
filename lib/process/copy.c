/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of a process around the making of its frozen copy. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/process.h"

int process_open_copy(const struct pidmem_process *origin, pid_t copy, struct pidmem_error *error,
		      struct pidmem_process **out)
{
	AUTO_PROCESS process = NULL;
	struct pidmem_error cause;
	int result = pidmem_process_open(copy, NULL, &cause, &process);

	if (result < 0) {
		if (cause.code == PIDMEM_NO_PROCESS || cause.code == PIDMEM_ZOMBIE)
			return process_copy_gone(origin, error);
		if (error)
			*error = cause;
		return result;
	}
	process->origin = origin;
	process->no_pinned_read = true;
	result = process_mem(process, error);
	if (result < 0)
		return result;
	*out = take(process);
	return 0;
}

bool process_is_near(const struct pidmem_process *process)
{
	struct stat here, there;
	char path[32];

	if (process->pidfd >= 0) /* taken by its number here, and compared with its number there */
		return true;
	snprintf(path, sizeof path, "/proc/%d", process->pid);
	return stat(path, &here) == 0 && fstat(process->dir, &there) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

int process_mapped_pages(const struct pidmem_process *process, pid_t other, uint64_t *pages)
{
	AUTO_BUFFER text = { 0 };
	char path[32] = "statm", *end;

	if (other)
		snprintf(path, sizeof path, "/proc/%d/statm", other);
	int result = buffer_read_file(&text, process->memory_dir, path);
	if (result < 0)
		return result;
	uint64_t value = strtoull(text.bytes, &end, 10);
	if (end == text.bytes || *end != ' ')
		return -EBADMSG;
	*pages = value;
	return 0;
}
