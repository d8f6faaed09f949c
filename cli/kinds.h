/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions by kind, and all together. */
#ifndef CLI_KINDS_H
#define CLI_KINDS_H

#include "pidmem.h"

#define KINDS 6

struct kind_sum {
	uint64_t count, size, resident, swapped, saved;
};

struct kinds {
	struct kind_sum of[KINDS + 1]; /* by enum pidmem_kind, and all together */
	bool resident, saved;          /* are known */
};

void kinds_add(struct kinds *kinds, const struct pidmem_region *region, uint64_t saved);

/* A table; on a terminal with bars of what is in memory, or else in the file. */
void kinds_print(const struct kinds *kinds);

#endif
