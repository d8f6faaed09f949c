/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After the pause: the source on the copy, whose regions are those of the target, with what the copy lacks. */
#include <errno.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/freeze.h"
#include "source/walk.h"

/* Append those regions of the target, from `next` on and below `end`, that the copy lacks. */
static int join_missing(struct pidmem_maps *joined, const struct pidmem_maps *copy, const struct pidmem_maps *target,
			size_t *next, uint64_t end)
{
	for (; *next < target->count && target->regions[*next].start < end; (*next)++) {
		const struct pidmem_region *region = &target->regions[*next];
		const struct pidmem_region *above = pidmem_maps_find_next(copy, region->start);
		if (region->usage && region->usage->flags & PIDMEM_VM_DONTCOPY &&
		    (!above || (above->start > region->start && above->start - region->start >= region->size)) &&
		    maps_add_copy(joined, region) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A region that the copy has empty: with the figures of the target, as far as that has listed it. */
static int join_wiped(struct pidmem_maps *joined, const struct pidmem_region *copied, const struct pidmem_maps *target)
{
	const struct pidmem_region *same = pidmem_maps_find(target, copied->start);
	struct pidmem_region region = *copied;
	struct pidmem_usage usage = *copied->usage;

	if (same && same->start == copied->start && same->usage)
		usage = *same->usage;
	usage.flags |= PIDMEM_VM_WIPEONFORK; /* perhaps it was not listed as such yet */
	region.usage = &usage;
	return maps_add_copy(joined, &region);
}

static bool is_wiped(const struct pidmem_region *region)
{
	return region->usage && region->usage->flags & PIDMEM_VM_WIPEONFORK;
}

static struct pidmem_maps *join(const struct pidmem_maps *copy, const struct pidmem_maps *target)
{
	AUTO_MAPS joined = maps_new();
	size_t next = 0;

	for (size_t i = 0; joined && i < copy->count; i++) {
		const struct pidmem_region *region = &copy->regions[i];
		if (join_missing(joined, copy, target, &next, region->start) < 0 ||
		    (is_wiped(region) ? join_wiped(joined, region, target) : maps_add_copy(joined, region)) < 0)
			return NULL;
	}
	if (!joined || join_missing(joined, copy, target, &next, UINT64_MAX) < 0)
		return NULL;
	maps_finish(joined);
	return take(joined);
}

/* What was written to for the first time after it had been listed. */
static void note_written(const struct frozen *frozen, struct pidmem_maps *joined)
{
	for (size_t i = 0, at = 0; i < frozen->candidate_count; i++) {
		const struct candidate *candidate = &frozen->candidates[i];
		while (at < joined->count && joined->regions[at].start < candidate->region->start)
			at++;
		if (at < joined->count && joined->regions[at].start == candidate->region->start &&
		    joined->usages[at].anonymous + joined->usages[at].swap == 0)
			joined->usages[at].anonymous = candidate->written;
	}
}

/* Is there anything to join? With 65,000 regions one list takes 10 MiB. */
static bool is_whole(const struct frozen *frozen, const struct pidmem_maps *copy)
{
	for (size_t i = 0; i < copy->count; i++)
		if (is_wiped(&copy->regions[i]))
			return false;
	return frozen->dont_copy_pages == 0;
}

/* What was saved in time of the shared memory that is wanted. */
static void count_shared(struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->source->maps;

	frozen->shared_paused = frozen->shared_after = 0;
	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		uint64_t bytes = region->kind == PIDMEM_KIND_SHARED ? pause_wants(frozen, region) : 0;
		uint64_t size = region->size;
		const struct pidmem_span *kept = bytes ? kept_find_next(&frozen->kept, region->start) : NULL;
		if (kept && kept->start <= region->start &&
		    region_still_maps(region, kept->region, region->start, &size))
			frozen->shared_paused += bytes;
		else
			frozen->shared_after += bytes;
	}
}

void pause_attach(struct frozen *frozen, struct pidmem_maps *maps)
{
	struct pidmem_source *source = frozen->source;

	source_take_maps(source, maps);
	source->consistency = PIDMEM_SNAPSHOT;
	source->frozen = frozen;
	source->kept = &frozen->kept;
	source->live = frozen->live;
	count_shared(frozen);
	pidmem_walk_close(take(frozen->saver));
}

int pause_finish(struct frozen *frozen, struct pidmem_error *error)
{
	AUTO_MAPS copied = NULL;
	int result = frozen->copy_process
			     ? 0
			     : process_open_copy(frozen->process, frozen->copy, error, &frozen->copy_process);

	if (result < 0 ||
	    (result = source_open_live(frozen->copy_process, frozen->freeze->options.select, error, &frozen->source)) <
		    0 ||
	    (result = pidmem_maps_read(frozen->copy_process, PIDMEM_MAPS_USAGE, error, &copied)) < 0)
		return result;
	struct pidmem_maps *joined = take(copied);
	if (!is_whole(frozen, joined)) {
		copied = joined;
		joined = join(copied, frozen->live->maps);
		if (joined)
			note_written(frozen, joined);
	}
	if (!joined)
		return fail_memory(error);
	frozen->source->target = frozen->process;
	pause_attach(frozen, joined);
	return 0;
}
