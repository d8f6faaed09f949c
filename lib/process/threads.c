/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads of a process: proc_pid_task(5). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/process.h"
#include "process/status.h"

struct pidmem_threads {
	struct pidmem_thread *items;
	size_t count, capacity;
};

void pidmem_threads_free(struct pidmem_threads *threads)
{
	if (!threads)
		return;
	free(threads->items);
	free(threads);
}
DEFINE_CLEANUP(cleanup_threads, struct pidmem_threads *, pidmem_threads_free)

/* 1 if added, 0 if the thread has ended meanwhile. */
static int add(struct pidmem_threads *threads, int task, const char *name)
{
	AUTO_BUFFER text = { 0 };
	struct process_stat stat;
	char path[64];

	if ((size_t)snprintf(path, sizeof path, "%s/stat", name) >= sizeof path ||
	    buffer_read_file(&text, task, path) < 0 || stat_parse(text.bytes, text.size, &stat) < 0)
		return 0;
	struct pidmem_thread *items = array_grow(threads->items, threads->count, &threads->capacity, sizeof *items);
	if (!items)
		return -ENOMEM;
	threads->items = items;
	struct pidmem_thread *thread = &items[threads->count++];
	*thread = (struct pidmem_thread){ .tid = stat.pid, .state = stat.state };
	memcpy(thread->name, stat.name, sizeof thread->name);
	return 1;
}

static int compare(const void *a, const void *b)
{
	const struct pidmem_thread *one = a, *other = b;

	return (one->tid > other->tid) - (one->tid < other->tid);
}

int pidmem_threads_read(struct pidmem_process *process, struct pidmem_error *error, struct pidmem_threads **out)
{
	int fd = openat(process->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR task = fd < 0 ? NULL : fdopendir(fd);
	CLEANUP(cleanup_threads) struct pidmem_threads *threads = calloc(1, sizeof *threads);

	if (!threads)
		return fail_memory(error);
	if (!task)
		return fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) has ended", process->pid, process->name);
	for (struct dirent *entry; (entry = readdir(task));)
		if (entry->d_name[0] != '.' && add(threads, fd, entry->d_name) < 0)
			return fail_memory(error);
	if (threads->count == 0)
		return fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) has ended", process->pid, process->name);
	qsort(threads->items, threads->count, sizeof *threads->items, compare);
	*out = take(threads);
	return 0;
}

size_t pidmem_threads_count(const struct pidmem_threads *threads)
{
	return threads->count;
}

const struct pidmem_thread *pidmem_threads_get(const struct pidmem_threads *threads, size_t index)
{
	return index < threads->count ? &threads->items[index] : NULL;
}
