/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listing pages in the stop. Listing a page costs 6 ns, passing over it 1 ns: so what is listed are the pages that are
 * absent or were written to; but those that exist where page tables are mostly empty, as when a page in each 2 MiB is
 * used. Large ranges are listed by two threads.
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

/* List one part of a range; `result` tells how that went. */
static void list_part(void *pointer)
{
	struct precopy_list *list = pointer;
	struct tracker_range range = list->range;

	list->count = 0;
	list->result = 0;
	while (range.start < range.end && list->result >= 0) {
		list->result = get_room(list);
		if (list->result < 0)
			break;
		list->result = tracker_list(list->tracker, list->what, &range, list->runs + list->count,
					    list->capacity - list->count, UINT64_MAX);
		list->count += list->result > 0 ? (size_t)list->result : 0;
	}
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
