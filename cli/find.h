/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `find` was asked for. */
#ifndef CLI_FIND_H
#define CLI_FIND_H

#include "reading.h"

/* A pattern, as it was written. */
struct find_text {
	const char *text;
	enum pidmem_pattern_kind kind;
};

struct find_wish {
	struct find_text *texts; /* of -e and -x, and then the operands and lines of -f */
	size_t count, capacity;
	const char *type, *file, *align, *limit, *context, *earlier, *save;
	enum pidmem_value_type value_type;
	enum pidmem_change change;
	size_t least; /* of --strings */
	bool strings, wide, any_case, swapped, force;
	char *lines; /* of -f */
	bool limited;
	uint64_t limit_count;
	size_t context_size;
};

/* One more pattern: false without memory. */
bool find_wish_add(struct find_wish *wish, const char *text, enum pidmem_pattern_kind kind);
void find_wish_done(struct find_wish *wish);

/* Take the operands and the file for patterns of the kind that was given. 0, or EXIT_FAILED after a message. */
int find_wish_complete(struct find_wish *wish, const struct invocation *invocation);
/* The library's patterns. 0, or EXIT_FAILED after a message. */
int find_wish_compile(const struct find_wish *wish, const struct pidmem_maps *maps, struct pidmem_patterns *patterns);

/* find_report.c: a match, as a line. */
void find_report_text(const struct find_wish *wish, const struct pidmem_maps *maps, const struct pidmem_match *match);
void find_report_json(const struct invocation *invocation, const struct find_wish *wish, const struct pidmem_maps *maps,
		      const struct pidmem_match *match);

#endif
