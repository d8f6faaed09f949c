/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listing pages in the stop. Listing a page costs 6 ns, passing over it 2.5 ns: so what is listed are the pages that
 * are absent or were written to; but those that exist where page tables are mostly empty, as when a page in each 2 MiB
 * is used. If only what is not protected is asked for, passing over a page costs 1 ns: where the kernel tells all that
 * way, the others are asked for no more than around such pages. Large ranges are listed by two threads.
 */
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "process/maps.h"
#include "source/precopy.h"

/* Waking another thread takes as long as passing over 50 MiB. */
#define SHARED_MIN (256ULL << 20)
#define RUNS 4096

bool precopy_lists_present(const struct precopy *precopy, const struct tracker_range *range)
{
	const struct process_status *status = &precopy->frozen->status;
	uint64_t entries = status->vm_pte / sizeof(uint64_t), pages = status->vm_rss / precopy->store.page_size;

	return range->foreign || entries > 2 * pages;
}

static int get_room(struct precopy_list *list)
{
	if (list->capacity - list->count >= RUNS)
		return 0;
	size_t capacity = list->capacity * 2 + RUNS;
	struct page_region *runs = reallocarray(list->runs, capacity, sizeof *runs);
	if (!runs)
		return -ENOMEM;
	list->runs = runs;
	list->capacity = capacity;
	return 0;
}

int precopy_list_prepare(struct precopy *precopy)
{
	if (!precopy->worker)
		precopy->worker = worker_new(); /* without it, one thread does it */
	return get_room(&precopy->lists[0]) < 0 || get_room(&precopy->lists[1]) < 0 ? -ENOMEM : 0;
}

static int list_stretch(struct precopy_list *list, enum tracker_scan what, struct tracker_range range)
{
	int result = 0;

	while (range.start < range.end && result >= 0) {
		result = get_room(list);
		if (result < 0)
			break;
		result = tracker_list(list->tracker, what, &range, list->runs + list->count,
				      list->capacity - list->count, UINT64_MAX);
		list->count += result > 0 ? (size_t)result : 0;
	}
	return result;
}

/* Passing over so much takes as long as another question. */
#define NEAR (1ULL << 20)
/* Runs that one question finds. */
#define UNPROTECTED 512

/* What changed, of memory that is tracked. */
static int list_tracked(struct precopy_list *list, struct tracker_range range)
{
	struct page_region runs[UNPROTECTED];
	int result = 0;

	while (range.start < range.end && result >= 0) {
		int count = tracker_list(list->tracker, TRACKER_UNPROTECTED, &range, runs, UNPROTECTED, UINT64_MAX);
		result = count < 0 ? count : 0;
		for (int i = 0; i < count && result >= 0; i++) {
			struct tracker_range near = { .start = runs[i].start, .end = runs[i].end };
			while (i + 1 < count && runs[i + 1].start - near.end <= NEAR)
				near.end = runs[++i].end;
			result = list_stretch(list, TRACKER_CHANGED, near);
		}
	}
	return result;
}

static int list_changed(struct precopy_list *list, struct tracker_range range)
{
	uint64_t end = range.end;
	int result = 0;

	if (!list->tracker->tells_holes || range.files)
		return list_stretch(list, TRACKER_CHANGED, range);
	while (range.start < end && result >= 0) {
		range.end = tracker_find(list->tracker, range.start, end, false);
		result = list_tracked(list, range);
		range.start = range.end;
		range.end = tracker_find(list->tracker, range.start, end, true);
		if (result >= 0)
			result = list_stretch(list, TRACKER_CHANGED, range);
		range.start = range.end;
	}
	return result;
}

/* List one part of a range; `result` tells how that went. */
static void list_part(void *pointer)
{
	struct precopy_list *list = pointer;

	list->count = 0;
	list->result = list->what == TRACKER_CHANGED ? list_changed(list, list->range)
						     : list_stretch(list, list->what, list->range);
}

static uint64_t size_in(const struct pidmem_region *region, const struct tracker_range *range)
{
	uint64_t start = region->start > range->start ? region->start : range->start;
	uint64_t end = region->start + region->size;

	return (end < range->end ? end : range->end) - start;
}

static uint64_t resident_in(const struct pidmem_region *region, const struct tracker_range *range)
{
	uint64_t size = size_in(region, range);

	return region->resident < size ? region->resident : size;
}

/* Where half of what was in memory, when that was looked at, lies below: there may be terabytes of nothing between. */
static uint64_t find_middle(const struct precopy *precopy, const struct tracker_range *range, uint64_t *resident)
{
	const struct pidmem_maps *maps = precopy->frozen->live->maps;
	const struct pidmem_region *first = pidmem_maps_find_next(maps, range->start),
				   *end = maps->regions + maps->count;
	uint64_t below = 0;

	*resident = 0;
	for (const struct pidmem_region *at = first; at && at < end && at->start < range->end; at++)
		*resident += resident_in(at, range);
	for (const struct pidmem_region *at = first; at && at < end && at->start < range->end; at++) {
		uint64_t wanted = *resident / 2 - below, part = resident_in(at, range);
		uint64_t start = at->start > range->start ? at->start : range->start;
		if (part > wanted)
			return start + ((uint64_t)((double)size_in(at, range) * (double)wanted / (double)part) &
					~(precopy->store.page_size - 1));
		below += part;
	}
	return range->end;
}

int precopy_list_range(struct precopy *precopy, struct tracker_range range)
{
	struct precopy_list *lists = precopy->lists;
	enum tracker_scan what = precopy_lists_present(precopy, &range) ? TRACKER_PRESENT : TRACKER_CHANGED;
	uint64_t resident, middle = find_middle(precopy, &range, &resident);
	bool shared = precopy->worker && resident >= SHARED_MIN && middle < range.end;

	for (int i = 0; i < 2; i++) {
		lists[i].tracker = &precopy->tracker;
		lists[i].what = what;
		lists[i].range = range;
		lists[i].count = 0;
		lists[i].result = 0;
	}
	if (shared) {
		lists[0].range.end = lists[1].range.start = middle;
		worker_begin(precopy->worker, list_part, &lists[1]);
	} else {
		lists[1].range.start = range.end;
	}
	list_part(&lists[0]);
	if (shared)
		worker_wait(precopy->worker);
	return lists[0].result < 0 ? lists[0].result : lists[1].result < 0 ? lists[1].result : 0;
}
