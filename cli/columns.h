/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The columns of `pidmem maps`. To add one: a line in the table in columns.c. */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "pidmem.h"
#include "ui/table.h"

#define MOST_COLUMNS 32

struct column_choice {
	struct column columns[MOST_COLUMNS];
	size_t count;
	unsigned needs; /* PIDMEM_MAPS_* */
};

/* "start,end,name" to columns. 0, or EXIT_FAILED after a message. */
int columns_choose(const char *names, struct column_choice *choice);

/* The columns of a file, of which less is known: of what was in memory only if `usage`. 0, or EXIT_FAILED after a
 * message. */
int columns_check_file(const struct column_choice *choice, const char *path, bool usage);

/* Make columns of addresses as wide as those of the last region, the highest, need. */
void columns_fit(struct column_choice *choice, const struct pidmem_region *last);

/* How wide strips are. */
void columns_set_strip(struct column_choice *choice, unsigned width);

/* What a row takes without its name. */
size_t columns_width(const struct column_choice *choice);

/* Show no more of a name than this; 0: all. */
void columns_cut_names(size_t room);

#endif
