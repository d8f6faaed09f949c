/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which parts of the address space a core file holds: made before the first byte is read, since headers come first. */
#ifndef SAVE_CORE_PLAN_H
#define SAVE_CORE_PLAN_H

#include "base/cleanup.h"
#include "pidmem.h"

/*
 * One segment: a region, or part of one. Its first `file_size` bytes are in the file; of the rest
 * - `known`: it was never touched, and so is known to be zero;
 * - else it is left out, and `why`.
 */
struct core_part {
	const struct pidmem_region *region;
	uint64_t start, size, file_size;
	uint64_t offset; /* in the file */
	bool placed;     /* where it was copied to while the process ran */
	bool known;
	enum pidmem_why why;
};

struct core_plan {
	struct core_part *parts; /* in address order; each byte of each region is in exactly one */
	size_t count, capacity;
	uint64_t expected; /* bytes to read, roughly */
};
void core_plan_done(struct core_plan *plan);
int core_plan_add(struct core_plan *plan, const struct core_part *part);

/*
 * Make the plan, in a plan of zeros. `filter`: bits of coredump_filter; `all`: everything that can be read. Errors: as
 * pidmem_maps_read() and pidmem_walk_next().
 */
int core_plan_make(struct core_plan *plan, struct pidmem_source *source, unsigned filter, bool all,
		   struct pidmem_error *error);

#endif
