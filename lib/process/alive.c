/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does the process live, with the program it had, and through which of its threads is its memory to be seen? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/process.h"
#include "process/status.h"

int process_read_status(int dir, struct process_status *status)
{
	AUTO_BUFFER text = { 0 };
	int result = buffer_read_file(&text, dir, "status");

	return result < 0 ? result : status_parse(text.bytes, text.size, status);
}

bool process_state_is_end(char state)
{
	return state == 'Z' || state == 'X' || state == 'x';
}

/* Only these tell of an end; a lack of descriptors, say, does not. */
static bool means_ended(int result)
{
	return result == -ESRCH || result == -ENOENT;
}

static int cannot_tell(const struct pidmem_process *process, int result, struct pidmem_error *error)
{
	return fail_sys(error, -result, "/proc/%d/status", process->pid);
}

/* Has the thread an address space? It has none from early in its exit on, long before it is a zombie. 1, 0 or -errno.
 */
static int has_memory(const struct pidmem_process *process, int dir, struct pidmem_error *error)
{
	struct process_status status;
	int result = process_read_status(dir, &status);

	if (result < 0)
		return means_ended(result) ? 0 : cannot_tell(process, result, error);
	return status.has_memory;
}

/* Is it this one? 1 and its directory, 0 or -errno. */
static int try_thread(const struct pidmem_process *process, pid_t tid, struct pidmem_error *error, int *out)
{
	char name[32];

	snprintf(name, sizeof name, "task/%d", tid);
	AUTO_FD dir = openat(process->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return means_ended(-errno) ? 0 : cannot_tell(process, -errno, error);
	int result = has_memory(process, dir, error);
	if (result == 1)
		*out = take_fd(&dir);
	return result;
}

static int find_thread(struct pidmem_process *process, struct pidmem_error *error, int *dir)
{
	struct pidmem_threads *threads;
	int result = pidmem_threads_read(process, error, &threads);

	if (result < 0)
		return means_ended(result) ? 0 : result;
	for (size_t i = 0; i < pidmem_threads_count(threads) && result == 0; i++)
		result = try_thread(process, pidmem_threads_get(threads, i)->tid, error, dir);
	pidmem_threads_free(threads);
	return result;
}

int process_seek_memory(struct pidmem_process *process, struct pidmem_error *error)
{
	int result = has_memory(process, process->memory_dir, error), found = process->dir;

	if (result != 0)
		return result < 0 ? result : 0;
	/* Once another thread calls exec, it takes the place of the first one. */
	if (process->memory_dir != process->dir)
		result = has_memory(process, process->dir, error);
	if (result == 0)
		result = find_thread(process, error, &found);
	if (result <= 0)
		return result;
	if (process->memory_dir != process->dir)
		cleanup_fd(&process->memory_dir);
	process->memory_dir = found;
	return 1;
}

bool process_find_memory(struct pidmem_process *process)
{
	return process_seek_memory(process, NULL) > 0;
}

/*
 * The address space that `mem` was opened on has no users any more: reads give 0 bytes (mem_rw() in fs/proc/base.c),
 * while an address that no process can have gives EIO as long as it lives. Not address 0, which a process may map: this
 * would read it.
 */
bool process_address_space_gone(const struct pidmem_process *process)
{
	const off_t never_mapped = INT64_MAX & ~(int64_t)4095;
	char byte;

	return process->mem >= 0 && pread(process->mem, &byte, 1, never_mapped) == 0;
}

int process_copy_gone(const struct pidmem_process *origin, struct pidmem_error *error)
{
	return with_hint(error,
			 fail(error, PIDMEM_GONE, ESRCH,
			      "the frozen copy of process %d (%s) was ended before all was read: out of memory?",
			      origin->pid, origin->name),
			 "the process itself runs on; read it stopped instead, which takes no memory");
}

int process_gone(const struct pidmem_process *process, struct pidmem_error *error)
{
	return process->origin
		       ? process_copy_gone(process->origin, error)
		       : fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) has ended", process->pid, process->name);
}

int pidmem_process_check(struct pidmem_process *process, struct pidmem_error *error)
{
	struct process_status status;
	bool gone = process_address_space_gone(process);
	int result;

	if (process->mem >= 0 && !gone)
		return 0;
	if ((result = process_seek_memory(process, error)) < 0)
		return result;
	result = process_read_status(process->memory_dir, &status);
	if (result < 0 && !means_ended(result))
		return cannot_tell(process, result, error);
	/* After exec there is another address space; a process on its way out has none, before it becomes a zombie. */
	if (result < 0 || process_state_is_end(status.state) || (gone && !status.has_memory))
		return process_gone(process, error);
	if (gone)
		return fail(error, PIDMEM_EXECED, ESRCH,
			    "process %d (%s) replaced itself by another program while it was read", process->pid,
			    process->name);
	return 0;
}

uint64_t process_memory_used(struct pidmem_process *process)
{
	struct process_status status;

	process_find_memory(process);
	return process_read_status(process->memory_dir, &status) < 0 ? 0 : status.vm_rss + status.vm_swap;
}
