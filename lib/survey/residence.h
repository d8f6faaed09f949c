/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in memory and in swap, asked beside a walk, in the order of its spans. */
#ifndef SURVEY_RESIDENCE_H
#define SURVEY_RESIDENCE_H

#include "source/source.h"

struct residence {
	struct pidmem_source *source;
	bool known;
	const struct pidmem_region *region; /* that the pages are of, where they are asked region by region */
	struct pidmem_pages *pages;
	struct pidmem_page_run run;
};

void residence_init(struct residence *residence, struct pidmem_source *source);
void residence_done(struct residence *residence);

/*
 * The next run of pages that are in memory or in swap, from `address` on and within `size` bytes; false if there is
 * none. Addresses never go down.
 */
bool residence_next(struct residence *residence, const struct pidmem_region *region, uint64_t address, uint64_t size,
		    struct pidmem_page_run *run);

#endif
