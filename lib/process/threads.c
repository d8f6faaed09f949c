/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads of a process: proc_pid_task(5). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/process.h"
#include "process/status.h"
#include "process/threads.h"

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

struct pidmem_threads *threads_new(void)
{
	return calloc(1, sizeof(struct pidmem_threads));
}

int threads_add(struct pidmem_threads *threads, const struct pidmem_thread *thread)
{
	struct pidmem_thread *items = array_grow(threads->items, threads->count, &threads->capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	threads->items = items;
	items[threads->count++] = *thread;
	return 0;
}

/* 0 also if the thread has ended meanwhile. */
static int add(struct pidmem_threads *threads, int task, const char *name)
{
	AUTO_BUFFER text = { 0 };
	struct process_stat stat;
	char path[64];

	if ((size_t)snprintf(path, sizeof path, "%s/stat", name) >= sizeof path)
		return -ENAMETOOLONG;
	int result = buffer_read_file(&text, task, path);
	if (result == 0)
		result = stat_parse(text.bytes, text.size, &stat);
	if (result < 0)
		return result == -ENOENT || result == -ESRCH ? 0 : result;
	struct pidmem_thread thread = { .tid = stat.pid, .state = stat.state };
	memcpy(thread.name, stat.name, sizeof thread.name);
	return threads_add(threads, &thread);
}

static int compare(const void *a, const void *b)
{
	const struct pidmem_thread *one = a, *other = b;

	return (one->tid > other->tid) - (one->tid < other->tid);
}

void threads_sort(struct pidmem_threads *threads)
{
	if (threads->count)
		qsort(threads->items, threads->count, sizeof *threads->items, compare);
}

static int list_failed(const struct pidmem_process *process, int number, struct pidmem_error *error)
{
	switch (number) {
	case ENOENT:
	case ESRCH:
		return process_gone(process, error);
	case EACCES:
	case EPERM:
		return fail(error, PIDMEM_ACCESS, number, "cannot read the threads of process %d (%s)", process->pid,
			    process->name);
	default:
		return fail_sys(error, number, "the threads of process %d (%s)", process->pid, process->name);
	}
}

/* readdir() tells neither an error nor, of a process that has ended (ENOENT), the end by its result. */
static int add_all(struct pidmem_threads *threads, DIR *task)
{
	const struct dirent *entry;
	int result = 0;

	while (errno = 0, result == 0 && (entry = readdir(task)))
		if (entry->d_name[0] != '.')
			result = add(threads, dirfd(task), entry->d_name);
	return result < 0 ? result : -errno;
}

int pidmem_threads_read(struct pidmem_process *process, struct pidmem_error *error, struct pidmem_threads **out)
{
	AUTO_DIR task = open_directory_at(process->dir, "task");
	int result = task ? 0 : -errno;
	AUTO_THREADS threads = threads_new();

	if (!threads)
		return fail_memory(error);
	if (result == 0)
		result = add_all(threads, task);
	if (result >= 0 && !threads->items)
		result = -ESRCH;
	if (result < 0)
		return list_failed(process, -result, error);
	threads_sort(threads);
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
