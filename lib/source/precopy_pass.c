/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is new since the last pass, or has moved (which ends tracking), has pages that are not tracked: all of them are
 * copied. Of all others, those that were written to. Pages that do not exist are never protected, so that no page
 * tables grow for what was never touched.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* So much is listed and protected at once: what is written to before it is copied has to be copied again. */
#define WINDOW (32ULL << 20)
#define LITTLE_WINDOW (2ULL << 20)
/* Larger regions get places in pieces of this size: files end at 16 TiB on ext4, and 20 TiB may be reserved. */
#define LARGE (64ULL << 30)
#define PIECE (1ULL << 30)

static int note_failure(struct precopy *precopy, uint64_t start, uint64_t size, struct pidmem_error *error)
{
	return page_list_add(&precopy->failed, start, size) < 0 ? fail_memory(error) : 0;
}

static int place(struct precopy *precopy, const struct pidmem_region *region, uint64_t start, uint64_t end)
{
	uint64_t from = region->start, to = region->start + region->size;

	if (region->size > LARGE) {
		uint64_t low = start & ~(PIECE - 1), high = (end + PIECE - 1) & ~(PIECE - 1);
		from = low > from ? low : from;
		to = high < to ? high : to;
	}
	return store_place(&precopy->store, from, to - from);
}

static int copy(struct precopy *precopy, uint64_t start, uint64_t end, struct pidmem_error *error)
{
	while (start < end) {
		size_t size = end - start < PRECOPY_BUFFER ? (size_t)(end - start) : PRECOPY_BUFFER;
		ssize_t got = process_read(precopy->process, start, precopy->buffer, size, error);
		got -= got > 0 ? got % (ssize_t)precopy->store.page_size : 0;
		if (got == -EIO || got == 0) { /* or gone since it was listed */
			int result = note_failure(precopy, start, precopy->store.page_size, error);
			if (result < 0)
				return result;
			start += precopy->store.page_size;
			continue;
		}
		int result = got < 0 ? (int)got : precopy_keep(precopy, start, (uint64_t)got, error);
		if (result < 0)
			return result;
		precopy->copied += (uint64_t)got;
		start += (uint64_t)got;
		if (watch_step(&precopy->frozen->freeze->watch, (uint64_t)got))
			return file_cancelled(error);
	}
	return 0;
}

/* Copy a run. What is not in the list was mapped since, and is protected now: the stop has to copy it. */
static int copy_run(struct precopy *precopy, const struct page_region *run, struct pidmem_error *error)
{
	uint64_t start = run->start, size;
	int result = 0;

	for (; start < run->end && result == 0; start += size) {
		const struct pidmem_region *region = pidmem_maps_find_next(precopy->maps, start);
		if (!region || region->start > start) {
			size = (region && region->start < run->end ? region->start : run->end) - start;
			result = note_failure(precopy, start, size, error);
			continue;
		}
		uint64_t rest = region->start + region->size - start;
		size = rest < run->end - start ? rest : run->end - start;
		if (run->categories & PAGE_IS_PFNZERO)
			result = precopy_keep_zeros(precopy, start, size, error);
		else if (place(precopy, region, start, start + size) < 0)
			result = fail_memory(error);
		else
			result = copy(precopy, start, start + size, error);
	}
	return result;
}

/* What appears in a hole between two may be registered by the process: it must not be looked at. */
static bool goes_on(const struct precopy *precopy, const struct tracker_range *range, const struct tracker_range *next,
		    const struct pidmem_region *region)
{
	return !precopy->registers && next->start == region->start && next->files == range->files &&
	       next->foreign == range->foreign;
}

bool precopy_next_range(const struct precopy *precopy, size_t *index, struct tracker_range *range)
{
	const struct pidmem_maps *maps = precopy->maps;
	uint64_t from = range->end;
	bool begun = false;

	for (; *index < maps->count; (*index)++) {
		const struct pidmem_region *region = &maps->regions[*index];
		struct tracker_range next = { .files = region->kind == PIDMEM_KIND_FILE };
		from = from > region->start ? from : region->start;
		if (!precopy_next_stretch(precopy, region, from, &next.start, &next.end)) {
			if (begun && from == region->start)
				break;
			continue;
		}
		next.foreign = precopy_is_foreign(precopy, region);
		if (begun && !goes_on(precopy, range, &next, region))
			break;
		if (!begun)
			*range = next;
		from = range->end = next.end;
		begun = true;
		if (from < region->start + region->size)
			break;
	}
	return begun;
}

static int fail_tracking(const struct precopy *precopy, int number, struct pidmem_error *error)
{
	if (number == -EOPNOTSUPP)
		return fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP, "it has huge pages of 1 GiB");
	if (pidmem_process_check(precopy->process, error) < 0)
		return -ESRCH;
	return fail_sys(error, -number, "cannot track the writes of process %d", precopy->process->pid);
}

/* Listing may tell of a single page, and asking takes 20 us. */
#define LOOK_US 50000ULL
/* So long everybody waits for a processor now and then. */
#define WAIT_US 500000
#define LITTLE_WAIT_US 100000

/* Who makes way for all others must not wait for ever. What is not looked at yet is not protected, and so it is found
 * by the next pass; only not what was moved, protected as it was, and has to be copied now. */
static bool is_given_up(struct precopy *precopy, enum tracker_scan what)
{
	uint64_t now = now_us();

	if (precopy->hurried || (precopy->passes > 0 && what != TRACKER_WRITTEN))
		return false;
	if (now - precopy->looked_us >= LOOK_US) {
		precopy->looked_us = now;
		precopy->cut |= process_lacks_processor(precopy->frozen->freeze->little ? LITTLE_WAIT_US : WAIT_US);
	}
	return precopy->cut;
}

/* List pages of a range, and copy them window by window. */
static int copy_listed(struct precopy *precopy, enum tracker_scan what, struct tracker_range range,
		       struct pidmem_error *error)
{
	uint64_t window = precopy->frozen->freeze->little ? LITTLE_WINDOW : WINDOW;
	int result = 0;

	while (range.start < range.end && result == 0 && !is_given_up(precopy, what)) {
		int count = tracker_list(&precopy->tracker, what, &range, precopy->list, PRECOPY_RUNS, window);
		if (count < 0)
			return fail_tracking(precopy, count, error);
		for (int i = 0; i < count && result == 0; i++)
			result = copy_run(precopy, &precopy->list[i], error);
	}
	return result;
}

#define UNTRACKED 1024

/* In which regions of a range are there pages that are not tracked? */
static int find_untracked(const struct precopy *precopy, struct tracker_range range, bool *untracked,
			  struct pidmem_error *error)
{
	const struct pidmem_maps *maps = precopy->maps;
	struct page_region runs[UNTRACKED];

	while (range.start < range.end) {
		uint64_t done = range.start;
		int count = tracker_list(&precopy->tracker, TRACKER_UNTRACKED, &range, runs, UNTRACKED, UINT64_MAX);
		if (count < 0)
			return fail_tracking(precopy, count, error);
		for (int i = 0; i < count; i++)
			for (uint64_t at = runs[i].start > done ? runs[i].start : done; at < runs[i].end; at = done) {
				const struct pidmem_region *region = pidmem_maps_find_next(maps, at);
				if (!region || region->start >= runs[i].end)
					break;
				untracked[region - maps->regions] = true;
				done = region->start + region->size;
			}
		range.start = done > range.start ? done : range.start;
	}
	return 0;
}

/* Is a region listed just so, and where? */
static bool is_listed(const struct pidmem_maps *maps, const struct pidmem_region *region, size_t *index)
{
	const struct pidmem_region *found = maps ? pidmem_maps_find(maps, region->start) : NULL;

	if (!found || found->start != region->start || found->size != region->size)
		return false;
	*index = (size_t)(found - maps->regions);
	return true;
}

static int copy_region(struct precopy *precopy, const struct pidmem_region *region, struct pidmem_error *error)
{
	struct tracker_range range = { .end = region->start, .files = region->kind == PIDMEM_KIND_FILE };
	int result = 0;

	if (precopy_is_foreign(precopy, region))
		return 0;
	while (result == 0 && precopy_next_stretch(precopy, region, range.end, &range.start, &range.end))
		result = copy_listed(precopy, TRACKER_EXISTING, range, error);
	return result;
}

/*
 * Track what is not tracked yet, and copy all of it. What another mapping has moved to (mremap(2)) and become one with
 * is not tracked any more, and pages of it can look as if they were still protected. If that happened just before it
 * was tracked again, it is a larger mapping than in the list of the last pass, `before`.
 */
static int copy_again(struct precopy *precopy, const bool *untracked, const struct pidmem_maps *before,
		      struct pidmem_error *error)
{
	AUTO_MAPS listed = precopy->maps;
	int result;

	precopy->maps = NULL;
	if ((result = pidmem_maps_read(precopy->process, 0, error, &precopy->maps)) < 0)
		return result;
	if (precopy_find_taken(precopy, listed, false) < 0)
		return fail_memory(error);
	for (size_t i = 0, at; result == 0 && i < precopy->maps->count; i++) {
		const struct pidmem_region *region = &precopy->maps->regions[i];
		if (!is_listed(listed, region, &at) || untracked[at] || !is_listed(before, region, &at))
			result = copy_region(precopy, region, error);
	}
	return result;
}

static int copy_untracked(struct precopy *precopy, const struct pidmem_maps *before, struct pidmem_error *error)
{
	AUTO_FREE bool *untracked = calloc(precopy->maps->count + 1, sizeof *untracked);
	struct tracker_range range = { 0 };
	bool some = precopy->passes == 0;
	int result = 0;

	if (!untracked)
		return fail_memory(error);
	for (size_t i = 0; result == 0 && precopy->passes && precopy_next_range(precopy, &i, &range);)
		if (!range.foreign)
			result = find_untracked(precopy, range, untracked, error);
	/* At first all is, whoever else may have registered it. */
	for (size_t i = 0; i < precopy->maps->count; i++) {
		const struct pidmem_region *region = &precopy->maps->regions[i];
		if (precopy->passes == 0)
			untracked[i] = precopy_is_private(region) && precopy_wants_some(precopy, region) &&
				       !precopy_is_foreign(precopy, region);
		some |= untracked[i];
	}
	if (result < 0 || !some)
		return result;
	if (precopy_track(precopy, untracked) < 0)
		return fail_memory(error);
	return copy_again(precopy, untracked, before, error);
}

int precopy_pass(struct precopy *precopy, struct pidmem_error *error)
{
	struct tracker_range range = { 0 };
	struct pidmem_maps *maps;
	int result = pidmem_maps_read(precopy->process, 0, error, &maps);

	if (result < 0)
		return result;
	AUTO_MAPS before = precopy->maps;
	precopy->maps = maps;
	precopy->before = precopy->copied;
	precopy->copied = 0;
	precopy->cut = false;
	precopy->registers = process_may_have_userfaultfd(precopy->process);
	if (before && precopy_find_taken(precopy, before, false) < 0)
		return fail_memory(error);
	result = copy_untracked(precopy, before, error);
	for (size_t i = 0; result == 0 && precopy->passes && precopy_next_range(precopy, &i, &range);)
		if (!range.foreign)
			result = copy_listed(precopy, TRACKER_WRITTEN, range, error);
	if (result == 0 && !precopy->quick) /* errors should come now, and one thread is enough */
		result = precopy->whole ? page_log_settle(&precopy->log, error) : store_finish(&precopy->store, error);
	precopy_end_pass(precopy);
	return result;
}
