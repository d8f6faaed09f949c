/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for all patterns in a window, in two threads if it is large. */
#ifndef FIND_SCANNER_H
#define FIND_SCANNER_H

#include "find/pattern.h"

struct worker;

/* What one thread does. */
struct part {
	const struct scanner *scanner;
	size_t begin, at, end; /* looked at from `begin` to `at`; to be looked at to `end` */
	struct hits hits;
	size_t taken;
	struct regex_scratch scratch;
	uint64_t *resume;
	int result;
	struct pidmem_error error;
};

struct scanner {
	const struct pidmem_patterns *patterns;
	uint64_t align; /* only matches at multiples of it; 0: all */
	struct worker *worker;
	struct window window;
	struct part parts[2];
	size_t part; /* whose hits are given */
};

/* 0 or -ENOMEM; to be ended anyway. */
int scanner_init(struct scanner *scanner, const struct pidmem_patterns *patterns);
void scanner_done(struct scanner *scanner);

/* Begin with the matches of another window that begin within [from, to). */
void scanner_begin(struct scanner *scanner, const struct window *window, size_t from, size_t to);
/* The next match, by address: 1, 0 if there is no more, or -errno. */
int scanner_next(struct scanner *scanner, struct pidmem_error *error, struct hit *hit);

/* The length of the match of any pattern that begins at a place of a window, 0 if there is none, or -errno. */
ssize_t scanner_match(struct scanner *scanner, const struct window *window, size_t at, struct pidmem_error *error,
		      uint32_t *pattern);

#endif
