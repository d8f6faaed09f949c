/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where in the file each segment stands. One after another, as they are written; but what was copied while the process
 * ran is in its place already, in a file that becomes the core file, and other content is appended to that.
 */
#include <errno.h>

#include "base/buffer.h"
#include "base/error.h"
#include "save/core.h"
#include "source/precopy.h"

uint64_t core_align(uint64_t offset)
{
	return (offset + CORE_ALIGNMENT - 1) & ~(uint64_t)(CORE_ALIGNMENT - 1);
}

uint64_t core_lay_out(struct core_plan *plan, uint64_t offset)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->parts[i].placed)
			continue;
		plan->parts[i].offset = offset;
		offset += plan->parts[i].file_size;
	}
	return offset;
}

/* Cut a part where its places in the store end: a segment is one piece of the file. */
static int add_placed(struct core_plan *plan, const struct core_part *whole, const struct store *store)
{
	struct core_part part = *whole;
	uint64_t run;

	for (uint64_t done = 0; done < whole->file_size; done += run) {
		run = whole->file_size - done;
		bool placed = store_finds(store, whole->start + done, &run, &part.offset);
		part.start = whole->start + done;
		part.placed = placed;
		part.file_size = run;
		part.size = done + run == whole->file_size ? whole->size - done : run;
		if (core_plan_add(plan, &part) < 0)
			return -ENOMEM;
	}
	return whole->file_size ? 0 : core_plan_add(plan, whole);
}

int core_plan_place(struct core_plan *plan, const struct store *store)
{
	struct core_plan placed = { .expected = plan->expected };

	for (size_t i = 0; i < plan->count; i++)
		if (add_placed(&placed, &plan->parts[i], store) < 0) {
			core_plan_done(&placed);
			return -ENOMEM;
		}
	core_plan_done(plan);
	*plan = placed;
	return 0;
}
