/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning to track mappings. One that is tracked in part is split in two, and one that is tracked does not become one
 * with a neighbour that is not; mremap(2) of the process fails across such a border. So as much as possible is taken at
 * once, with the free room that mappings may grow into.
 */
#include <errno.h>
#include <string.h>

#include "process/kernel.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* What stands for itself, and is not registered together with others: as little as possible, until that fails. */
enum border {
	BORDER_LIKELY,   /* what can hardly be registered, or should not be */
	BORDER_POSSIBLE, /* and whatever it may be that cannot */
	BORDER_EACH,
};

/*
 * What is the kernel's cannot be registered, nor shared memory of a descriptor that was not open for writing; and page
 * tables that processes share for huge pages would be made their own. Such mappings hardly ever go. At the place of any
 * other shared memory may be private memory by now, which would be split there: so it is registered as well, and never
 * protected.
 */
static bool is_border(const struct precopy *precopy, const struct pidmem_region *region, enum border border)
{
	bool fixed = !(region->perms & PIDMEM_PERM_WRITE);

	if (border == BORDER_EACH)
		return true;
	if (region->kind == PIDMEM_KIND_SHARED)
		return (fixed && (border == BORDER_POSSIBLE || region_has_named_file(region))) ||
		       strstr(region->path, "huge");
	return region->kind == PIDMEM_KIND_VDSO || precopy_is_foreign(precopy, region);
}

/* Regions from index `first` on, below `end`, and the free room around them. */
static int track_block(const struct precopy *precopy, size_t first, size_t end)
{
	const struct pidmem_region *regions = precopy->maps->regions;
	uint64_t from = first ? regions[first - 1].start + regions[first - 1].size : regions[0].start;
	/* Behind the last one may be the end of the address space. */
	uint64_t to = end < precopy->maps->count ? regions[end].start : regions[end - 1].start + regions[end - 1].size;

	to = to < precopy->tracker.end ? to : precopy->tracker.end;
	return tracker_add(&precopy->tracker, from, to - from);
}

static bool any(const bool *wanted, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (wanted[i])
			return true;
	return false;
}

static int note_foreign(struct precopy *precopy, const struct pidmem_region *region)
{
	return page_list_add(&precopy->foreign, region->start, region->size);
}

/* It cannot be registered, as no page of it need stay (MAP_DROPPABLE, Linux 6.11). */
static bool is_droppable(const struct pidmem_region *region)
{
	return region->usage && region->usage->flags & PIDMEM_VM_DROPPABLE;
}

/* Huge pages of a pool, hugetlb(7). One that was protected, dropped (MADV_DONTNEED) and read again is empty, and still
 * protected: nothing tells it from one that has not changed. */
static bool is_of_pool(const struct precopy *precopy, const struct pidmem_region *region)
{
	struct procmap_query question = { .query_addr = region->start };

	if (!precopy_is_private(region) || region->inode == 0)
		return false;
	if (region->usage)
		return region->usage->flags & PIDMEM_VM_HUGETLB;
	return process_query(precopy->process, &question) == 1 && question.vma_page_size > precopy->store.page_size;
}

int precopy_find_foreign(struct precopy *precopy, const struct pidmem_maps *maps)
{
	bool registers = process_may_have_userfaultfd(precopy->process);
	int result = 0;

	for (size_t i = 0; i < maps->count && result == 0; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		precopy->watched |= region_has_userfaultfd(region);
		precopy->rival |= !registers && region->usage && region->usage->flags & PIDMEM_VM_UFFD_WP;
		if (region_has_userfaultfd(region) || is_droppable(region) || is_of_pool(precopy, region))
			result = note_foreign(precopy, region);
	}
	return result;
}

bool precopy_is_foreign(const struct precopy *precopy, const struct pidmem_region *region)
{
	if (precopy->rival)
		return true;
	for (size_t i = 0; i < precopy->foreign.count; i++)
		if (region->start < precopy->foreign.items[i].end &&
		    precopy->foreign.items[i].start < region->start + region->size)
			return true;
	return false;
}

bool precopy_is_taken(const struct precopy *precopy, uint64_t start, uint64_t size)
{
	const struct tracker *tracker = &precopy->tracker;
	uint64_t end = start + size;

	return tracker_find(tracker, start, end, true) < end && tracker_find(tracker, start, end, false) == end &&
	       tracker_add(tracker, start, size) == -EBUSY;
}

/* The same place in a list: its index, or -1. *k is the first that may be it, and moves on. */
static ssize_t find_same(const struct pidmem_maps *maps, const struct pidmem_region *region, size_t *k)
{
	while (*k < maps->count && maps->regions[*k].start < region->start)
		(*k)++;
	bool same =
		*k < maps->count && maps->regions[*k].start == region->start && maps->regions[*k].size == region->size;
	return same ? (ssize_t)*k : -1;
}

int precopy_find_taken(struct precopy *precopy, const struct pidmem_maps *before, bool standing)
{
	const struct pidmem_maps *maps = precopy->maps;
	AUTO_FREE bool *unasked = calloc(maps->count + 1, sizeof *unasked);
	bool may_ask = standing || precopy->registers;
	size_t k = 0;
	int result = unasked ? 0 : -ENOMEM;

	for (size_t i = 0; i < maps->count && result == 0; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		ssize_t old = find_same(before, region, &k);
		bool listed = old >= 0;
		bool asked = listed && !(precopy->unasked && precopy->unasked[old]);
		if (!precopy_is_private(region) || asked)
			continue;
		bool taken = may_ask && precopy_is_taken(precopy, region->start, region->size);
		precopy->watched |= taken;
		if (taken || (!listed && is_of_pool(precopy, region)))
			result = note_foreign(precopy, region);
		else
			unasked[i] = !standing; /* it may be registered yet */
	}
	free(precopy->unasked);
	precopy->unasked = take(unasked);
	return result;
}

static int find_why(struct precopy *precopy, const struct pidmem_region *region, int failed)
{
	uint64_t size = region->size;

	if (failed == -EBUSY) {
		precopy->watched = true;
		precopy->rival |= !precopy->registers;
	} else if (failed != -EINVAL || process_still_maps(precopy->process, region, region->start, &size) != 1 ||
		   size != region->size) {
		return 0; /* perhaps it has gone */
	}
	return note_foreign(precopy, region);
}

/* In the room around it may be something by now that cannot be tracked. */
static int track_alone(struct precopy *precopy, const struct pidmem_region *region)
{
	int failed = tracker_add(&precopy->tracker, region->start, region->size);

	return failed ? find_why(precopy, region, failed) : 0;
}

/* Regions from index `first` on, below `end`. Some cannot be tracked, as what somebody else has registered. */
static int track(struct precopy *precopy, const bool *wanted, size_t first, size_t end, enum border border)
{
	const struct pidmem_region *regions = precopy->maps->regions;
	int result = 0;

	for (size_t at = first, next; at < end && result == 0 && !precopy->rival; at = next) {
		next = at + 1;
		while (!is_border(precopy, &regions[at], border) && next < end &&
		       !is_border(precopy, &regions[next], border))
			next++;
		if (!any(wanted, at, next))
			continue;
		int failed = track_block(precopy, at, next);
		if (failed == 0 && precopy->unasked)
			memset(precopy->unasked + at, 0, (next - at) * sizeof *precopy->unasked);
		else if (failed && next - at > 1)
			result = track(precopy, wanted, at, next, border + 1);
		else if (failed)
			result = track_alone(precopy, &regions[at]);
	}
	return result;
}

int precopy_track(struct precopy *precopy, const bool *wanted)
{
	return track(precopy, wanted, 0, precopy->maps->count, BORDER_LIKELY);
}
