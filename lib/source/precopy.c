/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process that is copied while it runs is copied into, and how it is tracked. */
#include "source/precopy.h"

#include <errno.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "process/task.h"

void precopy_close(struct precopy *precopy)
{
	if (!precopy)
		return;
	precopy_untrack(precopy);
	store_close(&precopy->store);
	page_log_close(&precopy->log);
	backings_done(&precopy->files);
	buffer_done(&precopy->auxv);
	pidmem_maps_free(precopy->maps);
	worker_free(precopy->worker);
	free(precopy->lists[0].runs);
	free(precopy->lists[1].runs);
	free(precopy->list);
	free(precopy->buffer);
	free(precopy->foreign.items);
	free(precopy->unasked);
	free(precopy->failed.items);
	free(precopy->runs);
	page_pool_done(&precopy->recent);
	page_pool_done(&precopy->late);
	free(precopy);
}
DEFINE_CLEANUP(cleanup_precopy, struct precopy *, precopy_close)
#define AUTO_PRECOPY CLEANUP(cleanup_precopy) struct precopy *

/* Room for the headers, notes and tables of a core file, so that they can stand at its begin; roughly. */
static uint64_t head_room(const struct frozen *frozen)
{
	uint64_t regions = frozen->live->maps->count, threads = frozen->status.threads;
	uint64_t each_thread = 16ULL << 10; /* NT_X86_XSTATE alone can have 11 KiB */
	uint64_t bytes = (64ULL << 10) + regions * 448 + threads * each_thread;

	return frozen->freeze->options.core ? (bytes + 0xffff) & ~0xffffULL : 0;
}

int precopy_open(struct frozen *frozen, struct pidmem_error *error, struct precopy **out)
{
	AUTO_PRECOPY precopy = calloc(1, sizeof *precopy);

	if (!precopy)
		return fail_memory(error);
	*precopy = (struct precopy){ .process = frozen->process,
				     .frozen = frozen,
				     .userfaultfd = -1,
				     .least = UINT64_MAX,
				     .store = STORE_INIT,
				     .log = PAGE_LOG_INIT(frozen->freeze->options.directory, frozen->freeze->count) };
	process_read_auxv(frozen->process, &precopy->auxv, &precopy->is_64);
	precopy->list = calloc(PRECOPY_RUNS, sizeof *precopy->list);
	precopy->buffer = malloc(PRECOPY_BUFFER);
	if (!precopy->list || !precopy->buffer || precopy_find_foreign(precopy, frozen->live->maps) < 0)
		return fail_memory(error);
	int result = store_open(&precopy->store, frozen->freeze->options.directory, head_room(frozen), error);
	if (result < 0)
		return result;
	watch_file(&frozen->freeze->watch, &precopy->store.file);
	*out = take(precopy);
	return 0;
}

int precopy_begin(struct precopy *precopy, struct pidmem_error *error)
{
	int pagemap = process_pagemap(precopy->process, error);
	int result = pagemap < 0 ? pagemap : tracker_init(&precopy->tracker, precopy->userfaultfd, pagemap);

	if (pagemap >= 0 && result < 0)
		return fail(error, PIDMEM_UNSUPPORTED, -result, "this kernel cannot track writes (before Linux 6.7)");
	return result;
}
