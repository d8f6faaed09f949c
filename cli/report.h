/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `report` writes into its page. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "saving.h"

struct report {
	const struct saving *saving;
	size_t index;
	const struct save *save;
	const struct pidmem_survey *survey;
	const struct target *before; /* what it is compared with, or NULL */
	struct pidmem_source *before_source;
	bool bytes; /* samples of the memory are shown */
};

/* The data, as one line of JSON, to standard output. */
void report_json(const struct report *report);

/* report_columns.c: the members "regions", "names" and "cells". */
void report_regions_json(const struct report *report);
void report_cells_json(const struct report *report);

#endif
