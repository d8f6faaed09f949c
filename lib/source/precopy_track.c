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

/*
 * What is the kernel's cannot be registered, nor a shared file that was not opened for writing; and page tables that
 * processes share for huge pages would be made their own. Such mappings hardly ever go. At the place of any other
 * shared memory may be private memory by now, which would be split there: so it is registered as well, and never
 * protected.
 */
static bool is_border(const struct precopy *precopy, const struct pidmem_region *region)
{
	bool named = region->path[0] == '/' && strcmp(region->path, "/dev/zero") != 0;

	if (region->kind == PIDMEM_KIND_SHARED)
		return (named && !(region->perms & PIDMEM_PERM_WRITE)) || strstr(region->path, "huge");
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
	int result = 0;

	for (size_t i = 0; i < maps->count && result == 0; i++)
		if (region_has_userfaultfd(&maps->regions[i]) || is_droppable(&maps->regions[i]) ||
		    is_of_pool(precopy, &maps->regions[i]))
			result = note_foreign(precopy, &maps->regions[i]);
	return result;
}

bool precopy_is_foreign(const struct precopy *precopy, const struct pidmem_region *region)
{
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

int precopy_find_taken(struct precopy *precopy, const struct pidmem_maps *before, bool may_ask)
{
	const struct pidmem_maps *maps = precopy->maps;
	size_t k = 0;
	int result = 0;

	for (size_t i = 0; i < maps->count && result == 0; i++) {
		const struct pidmem_region *region = &maps->regions[i], *old = before->regions;
		while (k < before->count && old[k].start < region->start)
			k++;
		if (!precopy_is_private(region) ||
		    (k < before->count && old[k].start == region->start && old[k].size == region->size))
			continue;
		if (is_of_pool(precopy, region) || (may_ask && precopy_is_taken(precopy, region->start, region->size)))
			result = note_foreign(precopy, region);
	}
	return result;
}

int precopy_track(struct precopy *precopy, const bool *wanted)
{
	const struct pidmem_maps *maps = precopy->maps;
	int result = 0;

	for (size_t first = 0, end; first < maps->count && result == 0; first = end) {
		end = first + 1;
		while (!is_border(precopy, &maps->regions[first]) && end < maps->count &&
		       !is_border(precopy, &maps->regions[end]))
			end++;
		if (!any(wanted, first, end) || track_block(precopy, first, end) == 0)
			continue;
		/* Some cannot be: the process has registered them itself. */
		for (size_t i = first; i < end && result == 0; i++)
			if (wanted[i] &&
			    tracker_add(&precopy->tracker, maps->regions[i].start, maps->regions[i].size) == -EBUSY)
				result = note_foreign(precopy, &maps->regions[i]);
	}
	return result;
}
