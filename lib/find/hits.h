/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matches within a window, as they are found. */
#ifndef FIND_HITS_H
#define FIND_HITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hit {
	uint32_t at, size, pattern;
};

struct hits {
	struct hit *items;
	size_t count, capacity;
	bool failed; /* there was no memory for all of them */
};

void hits_add(struct hits *hits, size_t at, size_t size, uint32_t pattern);
/* Order those from `first` on by their place, and by pattern. */
void hits_sort(struct hits *hits, size_t first);
/* Forget those of one pattern. */
void hits_drop(struct hits *hits, uint32_t pattern);
void hits_done(struct hits *hits);

#endif
