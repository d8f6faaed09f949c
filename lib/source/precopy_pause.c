/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last pass. A page that is in memory, is tracked, and was not written to since is in the store as it is now; all
 * others are listed, and what exists of them is copied. A page of a private file mapping that is not a copy of its own
 * yet is the file's, and is read from there. Of such a mapping, "swapped" can also mean that the page was dropped
 * (MADV_DONTNEED) and only its protection is kept: a marker (include/linux/swapops.h), which looks the same.
 */
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/range.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"
#include "source/walk.h"

static int add_run(struct precopy *precopy, uint64_t start, uint64_t size, int what)
{
	struct precopied_run *last = precopy->run_count ? &precopy->runs[precopy->run_count - 1] : NULL;

	if (last && last->start + last->size == start && (int)last->what == what) {
		last->size += size;
		return 0;
	}
	struct precopied_run *runs =
		array_grow(precopy->runs, precopy->run_count, &precopy->run_capacity, sizeof *runs);
	if (!runs)
		return -ENOMEM;
	precopy->runs = runs;
	runs[precopy->run_count++] = (struct precopied_run){ start, size, what };
	return 0;
}

/* So much of files is copied in the stop, which takes half a millisecond. */
#define FILE_ROOM (1ULL << 20)

/* Pages of its file. Of those of a core file, there are few, and reading them here saves opening files. */
static int take_file_pages(struct precopy *precopy, const struct pidmem_region *region, uint64_t start, uint64_t size)
{
	uint64_t page = precopy->store.page_size, taken = 0;

	if (precopy->frozen->freeze->options.core) {
		if (store_has(&precopy->store, region->start, region->size))
			taken = size;
		else if (region->offset == 0 && start == region->start)
			taken = page;
	}
	taken = taken <= precopy->file_room ? taken : 0; /* a large file is read after the stop */
	precopy->file_room -= taken;
	for (uint64_t at = start; at < start + taken; at += page) {
		struct pidmem_span span = {
			.start = at, .size = page, .class_ = PIDMEM_READ, .region = region, .bytes = precopy->buffer
		};
		ssize_t got = process_read(precopy->process, at, precopy->buffer, page, NULL);
		if (got == (ssize_t)page && kept_add(&precopy->frozen->kept, &span) < 0)
			return -ENOMEM;
	}
	return add_run(precopy, start, size, PRECOPIED_ABSENT);
}

/* A run within one region that is wanted. */
static int take_pages(struct precopy *precopy, const struct pidmem_region *region, uint64_t start, uint64_t size,
		      uint64_t categories)
{
	bool files = region->kind == PIDMEM_KIND_FILE;

	if (!(categories & (PAGE_IS_PRESENT | PAGE_IS_SWAPPED)))
		return add_run(precopy, start, size, PRECOPIED_ABSENT);
	if (files && categories & PAGE_IS_FILE)
		return take_file_pages(precopy, region, start, size);
	if (categories & PAGE_IS_GUARD)
		return add_run(precopy, start, size, PRECOPIED_GUARD);
	if (categories & PAGE_IS_PFNZERO)
		return add_run(precopy, start, size, PRECOPIED_ZERO);
	bool tracked = categories & PAGE_IS_WPALLOWED && !precopy_is_foreign(precopy, region);
	if (tracked && !(categories & PAGE_IS_WRITTEN) && !(files && categories & PAGE_IS_SWAPPED))
		return 0;
	if (!tracked)
		precopy->untracked += size;
	return page_pool_note(&precopy->late, start, size);
}

/* precopy_wants(), with one answer for as much as it holds for: there may be many runs in a region. */
static bool wants(struct precopy *precopy, const struct pidmem_region *region, uint64_t at, uint64_t *size)
{
	struct precopy_answer *answer = &precopy->answer;

	if (at < answer->start || at >= answer->end) {
		uint64_t rest = region->start + region->size - at;
		answer->wanted = precopy_wants(precopy, region, at, &rest);
		answer->start = at;
		answer->end = at + rest;
	}
	*size = answer->end - at < *size ? answer->end - at : *size;
	return answer->wanted;
}

/* `region` and all before it lie below the last run. */
static int take_run(struct precopy *precopy, const struct page_region *run, size_t *region)
{
	const struct pidmem_maps *maps = precopy->maps;
	uint64_t start = run->start;

	while (*region < maps->count && start < run->end) {
		const struct pidmem_region *at = &maps->regions[*region];
		uint64_t last = at->start + (at->size - 1);
		if (start > last) {
			(*region)++;
			continue;
		}
		start = at->start > start ? at->start : start;
		if (start >= run->end)
			break;
		uint64_t size = (run->end - 1 < last ? run->end - 1 : last) - start + 1;
		if (wants(precopy, at, start, &size) && take_pages(precopy, at, start, size, run->categories) < 0)
			return -ENOMEM;
		start += size;
	}
	return 0;
}

/* Between the runs of what exists lies what is absent. */
static int take_lists(struct precopy *precopy, struct tracker_range range, size_t *region)
{
	bool present = precopy_lists_present(precopy, &range);
	struct page_region absent = { .end = range.start };

	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < precopy->lists[i].count; k++) {
			const struct page_region *run = &precopy->lists[i].runs[k];
			absent.start = absent.end;
			absent.end = run->start;
			if (present && absent.start < absent.end && take_run(precopy, &absent, region) < 0)
				return -ENOMEM;
			if (take_run(precopy, run, region) < 0)
				return -ENOMEM;
			absent.end = run->end;
		}
	absent.start = absent.end;
	absent.end = range.end;
	return present && absent.start < absent.end ? take_run(precopy, &absent, region) : 0;
}

static int list_range(struct precopy *precopy, struct tracker_range range, size_t *region, struct pidmem_error *error)
{
	int result = precopy_list_range(precopy, range);

	if (result < 0 && result != -ENOMEM)
		return fail_sys(error, -result, "cannot list the pages of process %d", precopy->process->pid);
	if (result < 0 || take_lists(precopy, range, region) < 0)
		return fail_memory(error);
	return 0;
}

const struct precopied_run *precopied_find_next(const struct precopy *precopy, uint64_t address)
{
	size_t index = range_find_next(precopy->runs, precopy->run_count, sizeof *precopy->runs, address);

	return index < precopy->run_count ? &precopy->runs[index] : NULL;
}

static bool is_absent(const struct precopy *precopy, uint64_t address)
{
	const struct precopied_run *run = precopied_find_next(precopy, address);

	return run && run->start <= address;
}

/* What could not be read before is tried again. */
static int list_failed(struct precopy *precopy)
{
	uint64_t page = precopy->store.page_size;

	for (size_t i = 0; i < precopy->failed.count; i++)
		for (uint64_t at = precopy->failed.items[i].start; at < precopy->failed.items[i].end; at += page) {
			const struct pidmem_region *region = pidmem_maps_find(precopy->maps, at);
			uint64_t size = page;
			if (region && precopy_wants(precopy, region, at, &size) && !is_absent(precopy, at) &&
			    page_pool_note(&precopy->late, at, page) < 0)
				return -ENOMEM;
		}
	return 0;
}

static int list_vdso(struct precopy *precopy)
{
	const struct pidmem_maps *maps = precopy->maps;
	int result = 0;

	for (size_t i = 0; i < maps->count && result == 0; i++)
		if (precopy_is_vdso(&maps->regions[i]) && precopy_wants_some(precopy, &maps->regions[i]))
			result = page_pool_note(&precopy->late, maps->regions[i].start, maps->regions[i].size);
	return result;
}

static int list_all(struct precopy *precopy, struct pidmem_error *error)
{
	struct tracker_range range = { 0 };
	size_t region = 0;
	int result = 0;

	for (size_t i = 0; result == 0 && precopy_next_range(precopy, &i, &range);)
		result = list_range(precopy, range, &region, error);
	/* Page tables of a process that has ended are empty. */
	if (result == 0)
		result = pidmem_process_check(precopy->process, error);
	if (result == 0 && (list_failed(precopy) < 0 || list_vdso(precopy) < 0))
		return fail_memory(error);
	return result;
}

static void read_arguments(struct precopy *precopy)
{
	const struct process_stat *stat = &precopy->frozen->stat;
	size_t size = stat_arguments(stat, sizeof precopy->arguments);
	ssize_t got = size ? process_read(precopy->process, stat->arg_start, precopy->arguments, size, NULL) : 0;

	precopy->arguments_size = got > 0 ? (size_t)got : 0;
}

int precopy_pause(struct precopy *precopy, struct pidmem_error *error)
{
	struct pidmem_maps *maps;
	int result = pause_check_shared(precopy->frozen, error);

	if (result < 0 || (result = pidmem_maps_read(precopy->process, 0, error, &maps)) < 0)
		return result;
	struct pidmem_maps *before = precopy->maps;
	precopy->maps = maps;
	result = precopy_find_taken(precopy, before, true);
	pidmem_maps_free(before); /* now: there may be 65,000 of them */
	if (result < 0)
		return fail_memory(error);
	precopy->file_room = FILE_ROOM;
	result = list_all(precopy, error);
	if (result == 0 && freeze_copies_too_much(precopy->frozen->freeze))
		return 1;
	if (result == 0 && page_pool_reserve(&precopy->late, precopy->late.used) < 0)
		result = fail_memory(error);
	if (result == 0)
		result = precopy_copy_late(precopy, error);
	read_arguments(precopy);
	return result < 0 ? result : pause_save_chosen(precopy->frozen, error);
}
