/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared memory that has come since all was listed. Programs that work with several processes map some all the time,
 * and to list all again while one stands still takes 20 ms for each GiB that it has. So only what is new is asked for
 * then. What smaps alone tells of it, as MADV_DONTDUMP, is found out when the process runs on: until then it is taken
 * for wanted. That it is not the memory of a device has to be known before it is read.
 */
#include <errno.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"
#include "source/walk.h"

/* Nobody maps a device by a regular file, or by memory that the kernel has made and that has no name in a directory. */
static bool is_memory(struct frozen *frozen, const struct pidmem_region *region)
{
	const struct backing *backing = backing_of(&frozen->live->backings, frozen->process, region);

	return backing->state == BACKING_OPEN || (backing->state == BACKING_UNREACHABLE && region->deleted);
}

static bool is_covered(const struct pidmem_maps *newer, const struct pidmem_region *region)
{
	const struct pidmem_region *over = pidmem_maps_find_next(newer, region->start);

	return over && over->start <= region->start + (region->size - 1);
}

/* Is it known what to do with all of it? Not where a userfaultfd may supply its pages, which smaps tells, nor where
 * something else that was to be saved lies there no more, or in part. */
static bool is_clear(struct frozen *frozen, const struct pidmem_maps *newer)
{
	const struct precopy *precopy = frozen->precopy;

	if (precopy ? precopy->registers || precopy->watched : frozen->may_register)
		return false;
	for (size_t i = 0; i < newer->count; i++)
		if (!is_memory(frozen, &newer->regions[i]))
			return false;
	for (size_t i = 0; i < frozen->candidate_count; i++) {
		const struct pidmem_region *region = frozen->candidates[i].region;
		if (region->kind != PIDMEM_KIND_SHARED && is_covered(newer, region))
			return false;
	}
	return true;
}

/* Whatever is left of a shared mapping that was listed is among the new ones. */
static void drop_covered(struct frozen *frozen, const struct pidmem_maps *newer)
{
	size_t count = 0;

	for (size_t i = 0; i < frozen->candidate_count; i++)
		if (!is_covered(newer, frozen->candidates[i].region))
			frozen->candidates[count++] = frozen->candidates[i];
	frozen->candidate_count = count;
}

static int choose_newer(struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;

	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		uint64_t bytes = maps_is_newer(maps, region) ? pause_wants(frozen, region) : 0;
		if (bytes && pause_add_candidate(frozen, region, bytes, false) < 0)
			return -ENOMEM;
	}
	pause_cut_shared(frozen);
	return 0;
}

/* The list and what is new in it, which is owned by it from then on. */
static int take_newer(struct frozen *frozen, struct pidmem_maps **newer)
{
	struct pidmem_source *live = frozen->live;

	drop_covered(frozen, *newer);
	struct pidmem_maps *all = maps_lay_over(live->maps, *newer);
	if (!all)
		return -ENOMEM;
	*newer = NULL;
	live->maps = all;
	/* By the flags of what was listed; who holds one would be found out in milliseconds. */
	if (live->userfaultfd == UFFD_NOT_ASKED)
		live->userfaultfd = UFFD_PERHAPS;
	return choose_newer(frozen);
}

int pause_check_shared(struct frozen *frozen, struct pidmem_error *error)
{
	AUTO_MAPS newer = NULL;
	int result = maps_find_newer(frozen->process, frozen->live->maps, &newer);

	if (result == 0)
		return 0;
	if (result > 0 && !is_clear(frozen, newer))
		return pause_prepare(frozen, error);
	result = result > 0 ? take_newer(frozen, &newer) : result;
	if (result == -ENOMEM)
		return fail_memory(error);
	return result < 0 ? pause_prepare(frozen, error) : pause_open_saver(frozen, error);
}
