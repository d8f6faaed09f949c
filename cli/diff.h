/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Differences, as lines. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "reading.h"

/* What is compared. */
struct diff_job {
	const struct invocation *invocation;
	struct reading sides[2];
	struct pidmem_diff *diff;
	struct progress progress;
	uint64_t differences;
	/* Of --summary: the region that is being counted. */
	bool summary;
	const struct pidmem_region *region;
	uint64_t ranges, bytes;
};

void diff_report(struct diff_job *job, const struct pidmem_difference *difference);
/* All have been told: the last line, or object. */
void diff_report_end(struct diff_job *job);

#endif
