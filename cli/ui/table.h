/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables for people, written row by row: columns have their width from the start, so nothing is kept, and a value that
 * is wider pushes the rest of its row. libsmartcols measures all cells first, which took 200 ms for 65,000 rows, four
 * times what all of `pidmem maps` may take.
 */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define CELL_SIZE 80

struct column {
	const char *name;  /* how to ask for it */
	const char *title; /* in the first line */
	unsigned width;
	bool right; /* aligned to the right */
	/* Put the value at `cell` (CELL_SIZE bytes), return its end. */
	char *(*put)(char *cell, const void *row);
	/* Instead of put: write to standard output, text of any length; returns how many columns it took. */
	size_t (*write)(const void *row);
	bool (*empty)(const void *row); /* it will write nothing; NULL: it always writes something */
};

void table_title(const struct column *columns, size_t count);
void table_row(const struct column *columns, size_t count, const void *row);

#endif
