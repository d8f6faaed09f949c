/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages that have no entry in the page tables: what they hold, and where it can be had. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/error.h"
#include "process/process.h"
#include "source/walk.h"

/* Holes of a file that are told without reading them. */
#define HOLE_MIN (4UL << 20)

/* Pages that are in the file and not in the page tables. */
static int tell_file(struct pidmem_walk *walk, uint64_t limit, struct pidmem_span *span)
{
	struct pidmem_source *source = walk->source;
	const struct backing *backing = backing_of(&source->backings, source->process, walk->region);
	uint64_t offset = walk->region->offset + (walk->position - walk->region->start);
	bool hole;

	if (backing->state != BACKING_OPEN) /* it was when the region was entered */
		return tell(walk, span, limit, PIDMEM_UNREADABLE, source_no_file_why(walk->region));
	bool supplied = walk->region->perms & PIDMEM_PERM_SHARED && source_is_uffd_missing(source, walk->region);
	uint64_t size = backing_extent(backing, offset, limit, supplied ? walk->page_size : HOLE_MIN, &hole);
	if (size == 0)
		return tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_PAST_EOF);
	if (hole && supplied)
		return tell(walk, span, size, PIDMEM_NO_CONTENT, PIDMEM_WHY_UFFD);
	if (hole)
		return tell(walk, span, size, PIDMEM_ZERO, PIDMEM_WHY_NONE);
	if (walk->states_only)
		return tell(walk, span, size, PIDMEM_READ, PIDMEM_WHY_NONE);
	ssize_t got = backing_read(backing, offset, walk->buffer, size < walk->buffer_size ? size : walk->buffer_size);
	if (got > 0)
		return tell_read(walk, (size_t)got, span);
	/* Cut since its size was asked for, or a bad place on the disk: page by page. */
	size = size < walk->page_size ? size : walk->page_size;
	if (got == 0)
		return tell(walk, span, size, PIDMEM_NO_CONTENT, PIDMEM_WHY_PAST_EOF);
	return tell(walk, span, size, PIDMEM_UNREADABLE, PIDMEM_WHY_FILE);
}

/* The library's own copy of the code that the kernel maps into each 64-bit process. */
static int tell_vdso(struct pidmem_walk *walk, uint64_t limit, struct pidmem_span *span)
{
	const struct pidmem_region *region = walk->region;
	uint64_t own = getauxval(AT_SYSINFO_EHDR);

	/* A 32-bit process has another vDSO, below 4 GiB. */
	if (process_own_vdso_size() != region->size || (region->start > UINT32_MAX) != (own > UINT32_MAX))
		return tell(walk, span, limit, PIDMEM_EXCLUDED, PIDMEM_WHY_KERNEL);
	if (walk->states_only)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	if (limit > walk->buffer_size)
		limit = walk->buffer_size;
	memcpy(walk->buffer, (const char *)(uintptr_t)own + (walk->position - region->start), limit);
	return tell_read(walk, limit, span);
}

/* Pages of a file that cannot be opened: a page fault of the copy reads them. */
static int tell_by_fault(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	if (walk->states_only)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	ssize_t got = process_read(walk->source->process, walk->position, walk->buffer,
				   limit < walk->buffer_size ? limit : walk->buffer_size, error);
	if (got > 0)
		return tell_read(walk, (size_t)got, span);
	if (got != -EIO)
		return got < 0 ? (int)got : fail_sys(error, EIO, "reading at 0x%" PRIx64, walk->position);
	/* Past the end of the file, or the disk is bad: the size cannot be asked for. */
	uint64_t page_rest = walk->page_size - walk->position % walk->page_size;
	return tell(walk, span, page_rest < limit ? page_rest : limit, PIDMEM_UNREADABLE, PIDMEM_WHY_FILE);
}

int tell_absent(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	/* Because they were never touched, or because the region is not there any more? */
	if (!source_still_maps(walk->source, walk->region, walk->position, &limit)) {
		int result = pidmem_process_check(walk->source->process, error);
		return result < 0 ? result : tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_UNMAPPED);
	}
	switch (walk->absent) {
	case ABSENT_ZERO:
		if (source_is_uffd_missing(walk->source, walk->region))
			return tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_UFFD);
		return tell(walk, span, limit, PIDMEM_ZERO, PIDMEM_WHY_NONE);
	case ABSENT_FILE:
		return tell_file(walk, limit, span);
	case ABSENT_VDSO:
		return tell_vdso(walk, limit, span);
	case ABSENT_COPY:
		return tell_by_fault(walk, limit, error, span);
	case ABSENT_LIVE:
		return tell_live(walk, limit, error, span);
	default:
		return tell(walk, span, limit, PIDMEM_UNREADABLE, source_no_file_why(walk->region));
	}
}
