/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages that have no entry in the page tables: what they hold, and where it can be had. */
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

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

	if (!process_vdso_is_own(region))
		return tell(walk, span, limit, PIDMEM_EXCLUDED, PIDMEM_WHY_KERNEL);
	if (walk->states_only)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	if (limit > walk->buffer_size)
		limit = walk->buffer_size;
	memcpy(walk->buffer, (const char *)(uintptr_t)own + (walk->position - region->start), limit);
	return tell_read(walk, limit, span);
}

/* Is all from the position on behind the end of a file that cannot be opened? */
static bool is_past_end(const struct pidmem_walk *walk)
{
	const struct pidmem_region *region = walk->region;
	uint64_t offset = region->offset + (walk->position - region->start);
	struct stat status;

	return process_stat_mapped(walk->source->process, region, &status) && offset >= (uint64_t)status.st_size;
}

/* A page fault did not give it: it is past the end of the file, or the disk is bad. */
static int tell_not_faulted(struct pidmem_walk *walk, uint64_t limit, struct pidmem_span *span)
{
	if (backing_of(&walk->source->backings, walk->source->process, walk->region)->state == BACKING_OPEN)
		return tell_file(walk, limit, span);
	if (is_past_end(walk))
		return tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_PAST_EOF);
	if (walk->states_only)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	uint64_t page_rest = walk->page_size - walk->position % walk->page_size;
	return tell(walk, span, page_rest < limit ? page_rest : limit, PIDMEM_UNREADABLE, PIDMEM_WHY_FILE);
}

/* Pages of a file on a disk: a page fault of the copy reads them. */
static int tell_by_fault(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	if (walk->states_only)
		return tell_not_faulted(walk, limit, span);
	int result = tell_memory(walk, limit, error, span);
	if (result != 0)
		return result;
	return tell_not_faulted(walk, limit, span);
}

int tell_absent(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	/* Because they were never touched, or because the region is not there any more? */
	if (!source_still_maps(walk->source, walk->region, walk->position, &limit)) {
		int result = pidmem_process_check(walk->source->process, error);
		return result < 0 ? result : tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_UNMAPPED);
	}
	if (walk->absent == ABSENT_NOT_ASKED)
		walk->absent = source_absent(walk->source, walk->region);
	switch (walk->absent) {
	case ABSENT_FAILED:
		return source_failure(walk->source, walk->region, error);
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
