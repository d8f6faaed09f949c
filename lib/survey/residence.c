/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "survey/residence.h"

#define HELD (PIDMEM_PAGE_PRESENT | PIDMEM_PAGE_SWAPPED)

/* Of a copy the target is asked: page tables of files are not copied by fork(2). */
void residence_init(struct residence *residence, struct pidmem_source *source)
{
	*residence = (struct residence){ .source = source, .known = !source->recorded };
	if (residence->known && !source->cost_by_size)
		residence->known = pidmem_pages_open(source->target, 0, UINT64_MAX, NULL, &residence->pages) == 0;
}

void residence_done(struct residence *residence)
{
	pidmem_pages_close(take(residence->pages));
}

/* Without PAGEMAP_SCAN the gaps between regions are not gone through. */
static void enter(struct residence *residence, const struct pidmem_region *region)
{
	if (!residence->source->cost_by_size || residence->region == region)
		return;
	pidmem_pages_close(take(residence->pages));
	residence->region = region;
	residence->run = (struct pidmem_page_run){ 0 };
	if (region->start < 1ULL << 63 && !source_is_empty(residence->source, region))
		pidmem_pages_open(residence->source->target, region->start, region->size, NULL, &residence->pages);
}

bool residence_next(struct residence *residence, const struct pidmem_region *region, uint64_t address, uint64_t size,
		    struct pidmem_page_run *run)
{
	if (!residence->known)
		return false;
	enter(residence, region);
	while (residence->pages && (residence->run.start + residence->run.size <= address ||
				    !(residence->run.flags & HELD) || residence->run.flags & PIDMEM_PAGE_GUARD)) {
		/* The process may have ended since it was copied: what is not known any more is not drawn. */
		if (pidmem_pages_next(residence->pages, NULL, &residence->run) == 1)
			continue;
		pidmem_pages_close(take(residence->pages));
	}
	if (!residence->pages || (residence->run.start > address && residence->run.start - address >= size))
		return false;
	uint64_t start = residence->run.start > address ? residence->run.start : address;
	uint64_t left = residence->run.start + residence->run.size - start, room = size - (start - address);

	*run = (struct pidmem_page_run){ start, left < room ? left : room, residence->run.flags };
	return true;
}
