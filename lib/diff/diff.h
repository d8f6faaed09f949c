/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Comparing two sources. */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include "diff/moved.h"
#include "pidmem.h"

/* Where the comparison of two lists of regions has come to: begin with the lists and zeros. */
struct region_pair {
	const struct pidmem_maps *maps[2];
	const struct pidmem_select *selects[2];
	uint64_t at; /* looked at up to here */
	bool ended;  /* that is 2^64 */
	const struct moves *moves;
};

/* The next range in which the regions differ: false at the end. */
bool region_pair_next(struct region_pair *pair, struct pidmem_difference *difference);

#endif
