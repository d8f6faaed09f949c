/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "saved.h"

static struct pidmem_source *subject;

void saved_of(struct pidmem_source *file)
{
	subject = file;
}

uint64_t saved_size(const struct pidmem_region *region)
{
	struct pidmem_walk *walk;
	struct pidmem_span span;
	uint64_t sum = 0;

	if (!subject || pidmem_walk_open(subject, region->start, region->size, PIDMEM_WALK_STATES, NULL, &walk) < 0)
		return 0;
	while (pidmem_walk_next(walk, NULL, &span) == 1)
		if (span.class_ == PIDMEM_READ)
			sum += span.size;
	pidmem_walk_close(walk);
	return sum;
}
