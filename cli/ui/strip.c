/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/strip.h"
#include "ui/output.h"

#include <string.h>

/*
 * Where the kernel cannot scan page tables (before Linux 6.7), looking costs 8 bytes for each page of the region. In a
 * region without a page in memory or in swap only guard pages can be found, which are not worth as much.
 */
#define LARGEST (UINT64_C(256) << 30)
#define LARGEST_EMPTY (UINT64_C(16) << 30)

static struct pidmem_process *subject;

struct cell {
	uint64_t present, swapped, guard;
};

void strip_of(struct pidmem_process *process)
{
	subject = process;
}

static void count(struct cell *cell, uint32_t flags, uint64_t size)
{
	if (flags & PIDMEM_PAGE_GUARD)
		cell->guard += size;
	else if (flags & PIDMEM_PAGE_PRESENT)
		cell->present += size;
	else if (flags & PIDMEM_PAGE_SWAPPED)
		cell->swapped += size;
}

/* Share a run of pages out among the cells; `part` is the size of a cell. */
static void spread(struct cell *cells, uint64_t part, uint64_t offset, uint64_t size, uint32_t flags)
{
	while (size) {
		uint64_t index = offset / part < STRIP_WIDTH ? offset / part : STRIP_WIDTH - 1;
		uint64_t room = index + 1 < STRIP_WIDTH ? (index + 1) * part - offset : size;
		uint64_t piece = size < room ? size : room;

		count(&cells[index], flags, piece);
		offset += piece;
		size -= piece;
	}
}

static char letter(const struct cell *cell, uint64_t part)
{
	if (cell->present)
		return cell->present >= part ? '#' : '+';
	if (cell->swapped)
		return 's';
	return cell->guard ? 'g' : '.';
}

/* A picture is not worth a failure: what cannot be seen any more is drawn as nothing. */
size_t strip_write(const void *row)
{
	const struct pidmem_region *region = row;
	struct cell cells[STRIP_WIDTH] = { { 0 } };
	uint64_t part = region->size / STRIP_WIDTH ? region->size / STRIP_WIDTH : 1;
	bool empty = region->resident + region->swapped == 0;
	struct pidmem_page_run run;
	struct pidmem_pages *pages;

	if (region->size > LARGEST && !empty) {
		output_pad('?', STRIP_WIDTH);
		return STRIP_WIDTH;
	}
	if (region->size <= (empty ? LARGEST_EMPTY : LARGEST) &&
	    pidmem_pages_open(subject, region->start, region->size, NULL, &pages) == 0) {
		while (pidmem_pages_next(pages, NULL, &run) == 1)
			spread(cells, part, run.start - region->start, run.size, run.flags);
		pidmem_pages_close(pages);
	}
	for (size_t i = 0; i < STRIP_WIDTH; i++)
		output_char(letter(&cells[i], part));
	return STRIP_WIDTH;
}
