/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Beginning and ending to track mappings. One that is tracked in part is split in two, and one that is tracked does not
 * become one with a neighbour that is not; mremap(2) of the process fails across such a border. So as much as possible
 * is taken at once, with the free room that mappings may grow into, and let go at once, if that does not take too long.
 */
#include <errno.h>

#include "base/buffer.h"
#include "process/kernel.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* Not all shared memory can be registered (where it may not be written to), nor what is the kernel's; and page tables
 * that processes share for huge pages would be made their own. */
static bool is_border(const struct pidmem_region *region)
{
	return region->kind == PIDMEM_KIND_SHARED || region->kind == PIDMEM_KIND_VDSO;
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

static int add_foreign(struct precopy *precopy, const struct pidmem_region *region)
{
	struct page_region *grown =
		array_grow(precopy->foreign, precopy->foreign_count, &precopy->foreign_capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	precopy->foreign = grown;
	grown[precopy->foreign_count++] =
		(struct page_region){ .start = region->start, .end = region->start + region->size };
	return 0;
}

int precopy_find_foreign(struct precopy *precopy, const struct pidmem_maps *maps)
{
	const uint32_t any_mode = PIDMEM_VM_UFFD_MISSING | PIDMEM_VM_UFFD_WP | PIDMEM_VM_UFFD_MINOR;
	int result = 0;

	for (size_t i = 0; i < maps->count && result == 0; i++)
		if (maps->regions[i].usage && maps->regions[i].usage->flags & any_mode)
			result = add_foreign(precopy, &maps->regions[i]);
	return result;
}

bool precopy_is_foreign(const struct precopy *precopy, const struct pidmem_region *region)
{
	for (size_t i = 0; i < precopy->foreign_count; i++)
		if (region->start < precopy->foreign[i].end && precopy->foreign[i].start < region->start + region->size)
			return true;
	return false;
}

int precopy_track(struct precopy *precopy, const bool *wanted)
{
	const struct pidmem_maps *maps = precopy->maps;
	int result = 0;

	for (size_t first = 0, end; first < maps->count && result == 0; first = end) {
		end = first + 1;
		while (!is_border(&maps->regions[first]) && end < maps->count && !is_border(&maps->regions[end]))
			end++;
		if (!any(wanted, first, end) || track_block(precopy, first, end) == 0)
			continue;
		/* Some cannot be: the process has registered them itself. */
		for (size_t i = first; i < end && result == 0; i++)
			if (wanted[i] &&
			    tracker_add(&precopy->tracker, maps->regions[i].start, maps->regions[i].size) == -EBUSY)
				result = add_foreign(precopy, &maps->regions[i]);
	}
	return result;
}

/* The mapping at or above an address, as it is now; false if there is none, or the kernel cannot tell (before 6.11). */
static bool find_next(const struct precopy *precopy, uint64_t address, uint64_t *start, uint64_t *end)
{
	struct procmap_query question = { .size = sizeof question,
					  .query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA,
					  .query_addr = address };

	if (address >= precopy->tracker.end || process_query(precopy->process, &question) != 1)
		return false;
	*start = question.vma_start;
	*end = question.vma_end;
	return true;
}

/* Let go what stands side by side together, unless that is too much at once. */
static void remove_all(const struct precopy *precopy)
{
	uint64_t start = 0, end = 0, next_start = 0, next_end = 0;
	bool more = true;

	while (more) {
		more = find_next(precopy, next_end, &next_start, &next_end);
		if (more && next_start == end && next_end - start <= TRACKER_LARGE) {
			end = next_end;
			continue;
		}
		if (end && store_has(&precopy->store, start, end - start))
			tracker_remove(&precopy->tracker, start, end - start);
		start = next_start;
		end = next_end;
	}
}

void precopy_untrack(struct precopy *precopy)
{
	if (precopy->userfaultfd < 0)
		return;
	if (process_memory_used(precopy->process) > TRACKER_LARGE)
		remove_all(precopy);
	close(take_fd(&precopy->userfaultfd));
}
