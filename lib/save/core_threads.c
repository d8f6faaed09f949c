/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_threads.h"

#include <errno.h>

#include "base/error.h"
#include "process/process.h"
#include "process/task.h"
#include "source/source.h"

DEFINE_CLEANUP(cleanup_list, struct pidmem_threads *, pidmem_threads_free)
DEFINE_CLEANUP(cleanup_stopped, struct stopped_threads *, stopped_threads_free)

void core_threads_done(struct core_threads *threads)
{
	stopped_threads_free(threads->own);
	*threads = (struct core_threads){ 0 };
}

static struct stopped_thread as_seen(const struct pidmem_process *process, const struct pidmem_thread *thread)
{
	struct stopped_thread seen = { .tid = thread->tid, .state = thread->state };

	process_task_place(process, thread->tid, &seen.pc, &seen.sp);
	return seen;
}

/* They run: no registers. The first thread of the process has its number; the others follow by theirs. */
static int list_running(struct pidmem_process *process, struct pidmem_error *error, struct stopped_threads **out)
{
	CLEANUP(cleanup_list) struct pidmem_threads *list = NULL;
	CLEANUP(cleanup_stopped) struct stopped_threads *threads = NULL;
	int result = pidmem_threads_read(process, error, &list);

	if (result < 0)
		return result;
	size_t count = pidmem_threads_count(list), others = 1;
	threads = calloc(1, sizeof *threads);
	if (!threads || !(threads->threads = calloc(count + 1, sizeof *threads->threads)))
		return fail_memory(error);
	for (size_t i = 0; i < count; i++) {
		const struct pidmem_thread *thread = pidmem_threads_get(list, i);
		bool first = thread->tid == process->pid;
		threads->threads[first ? 0 : others++] = as_seen(process, thread);
	}
	threads->threads[0].tid = process->pid;
	threads->count = others;
	*out = take(threads);
	return 0;
}

int core_threads_get(struct core_threads *threads, struct pidmem_source *source, struct pidmem_error *error)
{
	const struct stopped_threads *stopped;
	int result = source_threads(source, error, &stopped);

	if (result == 0 && !stopped) {
		result = list_running(source->target, error, &threads->own);
		stopped = threads->own;
	}
	if (result < 0)
		return result;
	threads->list = stopped;
	return 0;
}
