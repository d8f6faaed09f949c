/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what a frozen copy does not hold: from what was saved during the pause, and from the target after it. */
#include "process/maps.h"
#include "process/process.h"
#include "source/kept.h"
#include "source/walk.h"

int tell_kept(struct pidmem_walk *walk, uint64_t *limit, struct pidmem_span *span)
{
	const struct kept *kept = walk->source->kept;
	const struct pidmem_span *found = kept ? kept_find_next(kept, walk->position) : NULL;

	if (!found)
		return 0;
	if (found->start > walk->position) {
		uint64_t gap = found->start - walk->position;
		*limit = gap < *limit ? gap : *limit;
		return 0;
	}
	uint64_t rest = found->start + found->size - walk->position;
	*limit = rest < *limit ? rest : *limit;
	/* The list by which it was saved is a little older than the pause. */
	if (!region_still_maps(walk->region, found->region, walk->position, limit))
		return 0;
	tell(walk, span, *limit, found->class_, found->why);
	if (found->bytes && !walk->states_only)
		span->bytes = found->bytes + (walk->position - found->start);
	return 1;
}

/* The same mapping in the target's list; *limit is cut to it. */
static bool target_has(const struct pidmem_source *live, const struct pidmem_walk *walk, uint64_t *limit)
{
	const struct pidmem_region *now = pidmem_maps_find(live->maps, walk->position);

	return now && region_still_maps(now, walk->region, walk->position, limit);
}

/* A walk through the target, at the position of this one. */
static int open_live(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error)
{
	if (walk->live && !walk->live->done && walk->live->position == walk->position)
		return 0;
	pidmem_walk_close(take(walk->live));
	return pidmem_walk_open(walk->source->live, walk->position, limit, walk->states_only ? PIDMEM_WALK_STATES : 0,
				error, &walk->live);
}

/*
 * Shared memory is the same for the target and for its copy, whose page tables say nothing about it. So it is read as
 * live: what the target has in its page tables can be read there without making anybody grow. Once the target has
 * unmapped it, or has ended, that way is closed.
 */
int tell_live(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	struct pidmem_source *live = walk->source->live;
	struct pidmem_error cause = { 0 };
	struct pidmem_span found = { 0 };
	int result = 0;

	if (target_has(live, walk, &limit)) {
		result = open_live(walk, limit, &cause);
		if (result == 0)
			result = pidmem_walk_next(walk->live, &cause, &found);
	}
	if (result < 0 && cause.code != PIDMEM_GONE && cause.code != PIDMEM_EXECED) {
		if (error)
			*error = cause;
		return result;
	}
	if (result <= 0)
		return tell(walk, span, limit, PIDMEM_UNREADABLE, source_no_file_why(walk->region));
	if (found.why == PIDMEM_WHY_UNMAPPED)
		return tell(walk, span, found.size, PIDMEM_UNREADABLE, source_no_file_why(walk->region));
	*span = found;
	span->region = walk->region;
	return 1;
}
