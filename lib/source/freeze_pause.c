/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saving what a copy does not hold, while the target stands still. The kernel subtracts the regions that it leaves out
 * from the copy's total (dup_mmap() in kernel/fork.c), so two numbers of statm tell that none has come or gone since
 * they were listed; that the copy lacks just those, it is asked itself.
 */
#include <errno.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/freeze.h"
#include "source/walk.h"

/* Do the regions that a copy lacks still lie where they lay when they were listed? */
static bool still_map(struct frozen *frozen)
{
	for (size_t i = 0; i < frozen->candidate_count; i++) {
		const struct pidmem_region *region = frozen->candidates[i].region;
		uint64_t size = region->size;
		if (frozen->candidates[i].dont_copy &&
		    (!source_still_maps(frozen->live, region, region->start, &size) || size != region->size))
			return false;
	}
	return true;
}

/* Is nothing of the region in the copy? Where the kernel cannot tell (before Linux 6.11), it is not known. */
static bool is_lacking(const struct frozen *frozen, const struct pidmem_region *region)
{
	uint64_t size = region->size;

	return process_still_maps(frozen->copy_process, region, region->start, &size) == 0 && size == region->size;
}

/* Does the copy lack exactly the regions that were listed? As many pages, and none of those is there: then yes. */
static bool lacks_the_listed(struct frozen *frozen, uint64_t lacking)
{
	const struct pidmem_maps *maps = frozen->live->maps;

	if (lacking != frozen->dont_copy_pages || !still_map(frozen))
		return false;
	if (lacking == 0)
		return true;
	if (process_open_copy(frozen->process, frozen->copy, NULL, &frozen->copy_process) < 0)
		return true; /* it has ended: pause_finish() tells */
	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		if (region->usage && region->usage->flags & PIDMEM_VM_DONTCOPY && !is_lacking(frozen, region))
			return false;
	}
	return true;
}

/* Of private memory: pages that are the process's own, be they written or swapped out. */
static bool is_private(const struct pidmem_walk *walk, uint64_t address)
{
	const struct pidmem_page_run *run = &walk->run; /* the last one: of this span, or beside it */

	return run->start <= address && address - run->start < run->size &&
	       run->flags & (PIDMEM_PAGE_PRESENT | PIDMEM_PAGE_SWAPPED) &&
	       !(run->flags & (PIDMEM_PAGE_FILE | PIDMEM_PAGE_ZERO | PIDMEM_PAGE_GUARD));
}

static int save(struct frozen *frozen, struct candidate *candidate, struct pidmem_error *error)
{
	struct pidmem_span span;
	int result;

	walk_seek(frozen->saver, candidate->region->start, candidate->region->size);
	while ((result = pidmem_walk_next(frozen->saver, error, &span)) == 1) {
		candidate->written += is_private(frozen->saver, span.start) ? span.size : 0;
		if (kept_add(&frozen->kept, &span) < 0)
			return fail_memory(error);
	}
	return result;
}

int pause_save_chosen(struct frozen *frozen, struct pidmem_error *error)
{
	int result = 0;

	for (size_t i = 0; i < frozen->candidate_count && result == 0; i++)
		result = save(frozen, &frozen->candidates[i], error);
	return result;
}

int pause_save(struct frozen *frozen, struct pidmem_error *error)
{
	uint64_t pages, copied;
	int result = process_mapped_pages(frozen->process, 0, &pages);

	if (result < 0)
		return fail_sys(error, -result, "cannot read how much memory process %d has", frozen->process->pid);
	if (process_mapped_pages(frozen->process, frozen->copy, &copied) < 0)
		return process_copy_gone(frozen->process, error);
	/* Else regions were told what to do in fork(2) after they were listed: then they are listed again, in a longer
	 * pause. */
	result = lacks_the_listed(frozen, pages - copied) ? pause_check_shared(frozen, error)
							  : pause_prepare(frozen, error);
	if (result < 0)
		return result;
	return pause_save_chosen(frozen, error);
}
