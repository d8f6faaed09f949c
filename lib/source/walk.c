/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Going through an address range span by span. Each byte of each region is told exactly once: by the selection, by the
 * page tables, by the file behind it, or by reading it.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/zero.h"
#include "process/process.h"
#include "source/walk.h"

/* Large enough that handing half of it to another thread (process_read()) costs little beside the copy. */
#define BUFFER (8UL << 20)
#define HUGE_PAGE (2UL << 20)

/* A copy has such a region empty, or not at all. */
#define NOT_COPIED (PIDMEM_VM_WIPEONFORK | PIDMEM_VM_DONTCOPY)

/* Tell what has been read, split where zero and other pages meet. */
int tell_held(struct pidmem_walk *walk, struct pidmem_span *span)
{
	uint64_t address = walk->position;
	const unsigned char *bytes = walk->buffer + walk->told;
	size_t left = walk->held - walk->told, size = 0;
	bool zero = false;

	while (size < left) {
		size_t page = walk->page_size - (address + size) % walk->page_size;
		page = page < left - size ? page : left - size;
		bool page_zero = is_zero(bytes + size, page);
		if (size && page_zero != zero)
			break;
		zero = page_zero;
		size += page;
	}
	walk->told += size;
	*span = (struct pidmem_span){
		.start = address,
		.size = size,
		.class_ = zero ? PIDMEM_ZERO : PIDMEM_READ,
		.why = walk->held_why,
		.region = walk->region,
		.bytes = zero ? NULL : bytes,
	};
	return 1;
}

int tell(struct pidmem_walk *walk, struct pidmem_span *span, uint64_t size, enum pidmem_class class_,
	 enum pidmem_why why)
{
	*span = (struct pidmem_span){
		.start = walk->position, .size = size, .class_ = class_, .why = why, .region = walk->region
	};
	return 1;
}

int tell_read(struct pidmem_walk *walk, size_t got, struct pidmem_span *span)
{
	walk->held = got;
	walk->told = 0;
	return tell_held(walk, span);
}

int tell_memory(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	ssize_t got = process_read(walk->source->process, walk->position, walk->buffer,
				   limit < walk->buffer_size ? limit : walk->buffer_size, error);
	if (got > 0)
		return tell_read(walk, (size_t)got, span);
	if (got == 0)
		return fail_sys(error, EIO, "reading at 0x%" PRIx64, walk->position);
	return got == -EIO ? 0 : (int)got;
}

/* `limit` bytes from the position on are in the page tables or in swap. */
static int tell_present(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	if (walk->run.flags & PIDMEM_PAGE_GUARD)
		return tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_GUARD);
	if (walk->run.flags & PIDMEM_PAGE_ZERO)
		return tell(walk, span, limit, PIDMEM_ZERO, PIDMEM_WHY_NONE);
	/* Shared memory has no swap entries here: a marker of a userfaultfd. Reading would fault the page in. */
	if (!(walk->run.flags & PIDMEM_PAGE_PRESENT) && walk->region->perms & PIDMEM_PERM_SHARED)
		return tell_absent(walk, limit, error, span);
	if (walk->no_swap && (walk->run.flags & (PIDMEM_PAGE_SWAPPED | PIDMEM_PAGE_PRESENT)) == PIDMEM_PAGE_SWAPPED)
		return tell(walk, span, limit, PIDMEM_EXCLUDED, PIDMEM_WHY_SWAPPED);
	if (walk->states_only)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	int result = tell_memory(walk, limit, error, span);
	if (result != 0)
		return result;
	*span = (struct pidmem_span){ .start = walk->position, .region = walk->region };
	int explained = explain_unreadable(walk->source, walk->region, walk->position, limit, error, span);
	if (explained != 0)
		return explained;
	return tell_absent(walk, span->size, error, span);
}

/* Bring `run` to the position: the run that holds it, or the next one. */
static int next_run(struct pidmem_walk *walk, struct pidmem_error *error)
{
	while (!walk->no_more_runs && walk->run.start + walk->run.size <= walk->position) {
		int result = pidmem_pages_next(walk->pages, error, &walk->run);
		if (result < 0)
			return result;
		walk->no_more_runs = result == 0;
	}
	return 0;
}

static int tell_pages(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	/* Without PAGEMAP_SCAN, terabytes that hold nothing must not be gone through. */
	if (source_is_empty(walk->source, walk->region))
		return tell_absent(walk, limit, error, span);
	if (!walk->no_more_runs)
		pages_skip_to(walk->pages, walk->position);
	int result = next_run(walk, error);
	if (result < 0)
		return result;
	if (walk->no_more_runs)
		return tell_absent(walk, limit, error, span);
	if (walk->run.start > walk->position) {
		uint64_t gap = walk->run.start - walk->position;
		return tell_absent(walk, gap < limit ? gap : limit, error, span);
	}
	uint64_t rest = walk->run.start + walk->run.size - walk->position;
	return tell_present(walk, rest < limit ? rest : limit, error, span);
}

/* Without PAGEMAP_SCAN the cost follows the size of the range: go through the regions alone, not the gaps. */
static int open_region_pages(struct pidmem_walk *walk, struct pidmem_error *error)
{
	const struct pidmem_region *region = walk->region;

	if (!walk->source->cost_by_size)
		return 1;
	pidmem_pages_close(take(walk->pages));
	walk->run = (struct pidmem_page_run){ 0 };
	walk->no_more_runs = region->start > INT64_MAX; /* [vsyscall] has no entries */
	if (walk->no_more_runs)
		return 1;
	int result = pidmem_pages_open(walk->source->process, region->start, region->size, error, &walk->pages);
	return result < 0 ? result : 1;
}

/* Of what was copied while the process ran, few pages of files are absent in a core file. */
static enum absent look_at_absent(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (!source->precopy || region->kind != PIDMEM_KIND_FILE)
		return source_absent(source, region);
	return source_flags(source, region) & (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP) ? ABSENT_DEVICE : ABSENT_NOT_ASKED;
}

/* Enter the region at or above the position: 1, or 0 at the end of the range. */
static int enter_region(struct pidmem_walk *walk, struct pidmem_error *error)
{
	const struct pidmem_region *region = walk->region;

	if (!region || walk->position - region->start >= region->size) {
		region = pidmem_maps_find_next(walk->source->maps, walk->position);
		if (!region || region->start > walk->last)
			return 0;
		walk->region = region;
		if (walk->source->recorded) {
			walk->position = walk->position < region->start ? region->start : walk->position;
			return 1;
		}
		walk->absent = look_at_absent(walk->source, region);
		if (walk->absent == ABSENT_FAILED)
			return source_failure(walk->source, region, error);
		walk->not_copied = source_is_copy(walk->source) && source_usage(walk->source, region) &&
				   source_flags(walk->source, region) & NOT_COPIED;
		if (walk->position < region->start)
			walk->position = region->start;
		return open_region_pages(walk, error);
	}
	return 1;
}

static int tell_next(struct pidmem_walk *walk, struct pidmem_error *error, struct pidmem_span *span)
{
	uint64_t run, limit = walk->region->start + (walk->region->size - 1);

	limit = (limit < walk->last ? limit : walk->last) - walk->position + 1;
	bool selected = pidmem_select_test(walk->source->select, walk->region, walk->position, &run);
	limit = run < limit ? run : limit;
	if (!selected)
		return tell(walk, span, limit, PIDMEM_EXCLUDED, PIDMEM_WHY_FILTER);
	if (walk->source->recorded)
		return tell_recorded(walk, limit, error, span);
	if (walk->absent == ABSENT_KERNEL)
		return tell(walk, span, limit, PIDMEM_EXCLUDED, PIDMEM_WHY_KERNEL);
	if (walk->absent == ABSENT_DEVICE)
		return tell(walk, span, limit, PIDMEM_EXCLUDED, PIDMEM_WHY_DEVICE);
	if (walk->source->kept && tell_kept(walk, &limit, span))
		return 1;
	if (walk->not_copied)
		return tell(walk, span, limit, PIDMEM_UNREADABLE, PIDMEM_WHY_NOT_COPIED);
	if (walk->source->precopy)
		return tell_precopied(walk, limit, error, span);
	return tell_pages(walk, limit, error, span);
}

int pidmem_walk_next(struct pidmem_walk *walk, struct pidmem_error *error, struct pidmem_span *span)
{
	struct pidmem_span found = { 0 };
	int result;

	if ((result = source_check(walk->source, error)) < 0)
		return result;
	if (walk->done)
		return 0;
	if (walk->told < walk->held)
		tell_held(walk, &found);
	else if ((result = enter_region(walk, error)) <= 0 || (result = tell_next(walk, error, &found)) < 0)
		return result;
	walk->done = found.start + (found.size - 1) == walk->last;
	walk->position = found.start + found.size;
	*span = found;
	return 1;
}

void walk_move(struct pidmem_walk *walk, uint64_t start, uint64_t size, unsigned flags)
{
	walk->position = start;
	walk->last = start + (size - 1);
	walk->done = size == 0;
	walk->held = walk->told = 0;
	walk->states_only = flags & PIDMEM_WALK_STATES;
	walk->pass_over_stored = flags & WALK_PASS_OVER_STORED;
}

void walk_read_at_most(struct pidmem_walk *walk, uint64_t size)
{
	size = size > walk->page_size ? size & ~(walk->page_size - 1) : walk->page_size;
	walk->buffer_size = size < walk->buffer_size ? (size_t)size : walk->buffer_size;
}

void walk_stop_reading(struct pidmem_walk *walk)
{
	walk->states_only = true;
	walk->held = walk->told = 0;
}

void walk_seek(struct pidmem_walk *walk, uint64_t start, uint64_t size)
{
	walk_move(walk, start, size, 0);
	walk->run = (struct pidmem_page_run){ 0 };
	walk->no_more_runs = false;
	if (walk->pages && !walk->source->cost_by_size)
		pages_move(walk->pages, start, size);
}

void pidmem_walk_close(struct pidmem_walk *walk)
{
	if (!walk)
		return;
	pidmem_walk_close(walk->live);
	pidmem_pages_close(walk->pages);
	free(walk->buffer);
	free(walk);
}

/* A fault for each of its pages would cost as much as reading 32 MiB. */
static unsigned char *make_buffer(size_t size)
{
	unsigned char *buffer = size < BUFFER ? malloc(size) : aligned_alloc(HUGE_PAGE, size);

	if (buffer && size >= BUFFER)
		madvise(buffer, size, MADV_HUGEPAGE);
	return buffer;
}

int pidmem_walk_open(struct pidmem_source *source, uint64_t start, uint64_t size, unsigned flags,
		     struct pidmem_error *error, struct pidmem_walk **out)
{
	uint64_t last = size ? start + (size - 1) : start;

	if (start == 0 && size == UINT64_MAX) /* 2^64 bytes cannot be said otherwise */
		last = UINT64_MAX;
	if (last < start)
		return fail(error, PIDMEM_USAGE, ERANGE, "the range runs past the end of the address space");
	int result = source_check(source, error);
	if (result < 0)
		return result;
	AUTO_WALK walk = calloc(1, sizeof *walk);
	if (!walk)
		return fail_memory(error);
	walk->source = source;
	walk->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	walk->position = start;
	walk->last = last;
	walk->done = size == 0;
	walk->states_only = flags & PIDMEM_WALK_STATES;
	walk->no_swap = flags & PIDMEM_WALK_NO_SWAP && !source_is_copy(source);
	if (!walk->states_only) {
		walk->buffer_size =
			size < BUFFER - walk->page_size ? (size + walk->page_size) & ~(walk->page_size - 1) : BUFFER;
		walk->buffer = make_buffer(walk->buffer_size);
		if (!walk->buffer)
			return fail_memory(error);
	}
	if (!source->precopy && !source->recorded)
		result = pidmem_pages_open(source->process, start, size, error, &walk->pages);
	if (result < 0)
		return result;
	if (walk->pages && !(flags & WALK_TELL_OWN))
		pages_ask_less(walk->pages);
	/* With much to be read until then, nothing has to wait for it. */
	if (size >= BUFFER && !(flags & WALK_TELL_OWN) && !walk->states_only && !source_is_still(source) &&
	    !source->recorded)
		leases_begin(&source->backings.leases, source->process);
	*out = take(walk);
	return 0;
}
