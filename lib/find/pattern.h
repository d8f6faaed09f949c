/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is looked for, and one thread's look for it. Each kind of pattern is a matcher:
 *
 *   literal.c   bytes under masks: text, hex with wildcards, values that are one number
 *   literals.c  many of them in one pass
 *   value.c     ranges of numbers
 *   regex.c     PCRE2
 *   strings.c   anything that reads as text
 */
#ifndef FIND_PATTERN_H
#define FIND_PATTERN_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/cleanup.h"
#include "find/hits.h"
#include "pidmem.h"

/* No match is longer: of what could be, this much is told. */
#define LONGEST_MATCH 65536

/*
 * Contiguous bytes. Matches that begin within the part of a struct look are told; what those need before and behind
 * them is there, as far as it exists.
 */
struct window {
	const unsigned char *bytes;
	size_t size;
	uint64_t address;
	bool ends; /* nothing contiguous is behind it */
};

struct regex_scratch {
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
};

/* One thread looks for one pattern. */
struct look {
	const struct window *window;
	size_t from, to; /* where matches may begin */
	uint64_t align;
	uint32_t pattern;
	struct hits *hits;
	struct regex_scratch *scratch;
	uint64_t *resume; /* by pattern: where the last match ended, for those that must not overlap */
	struct pidmem_error *error;
};

/* Told only if its address is aligned. */
static inline void look_found(const struct look *look, size_t at, size_t size)
{
	if (look->align < 2 || (look->window->address + at) % look->align == 0)
		hits_add(look->hits, at, size, look->pattern);
}

struct literal {
	unsigned char *value, *mask; /* a byte fits if (byte & mask) == value */
	size_t size;
	size_t anchors[2]; /* the places of the rarest two bytes */
};

struct value_range {
	union {
		uint64_t bits;
		double number;
	} low, high;
};

struct pattern {
	const struct matcher *matcher;
	enum pidmem_value_type type; /* of values */
	size_t longest;              /* bytes of a match, at most */
	size_t behind;               /* bytes before a match that it depends on */
	struct literal literal;
	struct value_range *ranges; /* in order; several for pointers alone */
	size_t range_count;
	pcre2_code *code;
	size_t least; /* characters of a string */
	bool wide;
};

struct matcher {
	/* Tell all matches of a look: 0 or -errno. */
	int (*scan)(const struct pattern *pattern, const struct look *look);
	/* The length of the match that begins at look->from, or 0; -errno. */
	ssize_t (*match)(const struct pattern *pattern, const struct look *look);
};

struct literals;
struct rules;

struct pidmem_patterns {
	struct pattern *items;
	size_t count, capacity;
	struct rules *rules;       /* of YARA: then there are no items */
	struct literals *literals; /* those that are looked for in one pass; NULL if there are few */
	size_t longest, behind;
	bool chained; /* some must not overlap with themselves */
	bool prepared;
	enum pidmem_value_type type; /* of all; PIDMEM_TYPE_NONE if they are of several, or no values */
};

/* All are added: get ready to look for them. 0 or -errno. */
int patterns_prepare(struct pidmem_patterns *patterns, struct pidmem_error *error);

/* literal.c: from text, and from hex with wildcards. */
int literal_text(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error);
int literal_hex(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error);
/* Bytes as they are. 0 or -ENOMEM. */
int literal_bytes(struct pattern *pattern, const void *bytes, size_t size);
bool literal_fits(const struct literal *literal, const unsigned char *bytes);
void literal_done(struct literal *literal);
extern const struct matcher literal_matcher;

/* literals.c */
int literals_new(const struct pidmem_patterns *patterns, struct literals **literals);
void literals_free(struct literals *literals);
bool literals_has(const struct literals *literals, size_t pattern);
size_t literals_count(const struct literals *literals);
void literals_scan(const struct literals *literals, const struct look *look);

/* value.c, value_text.c */
int value_parse(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error);
size_t value_size(enum pidmem_value_type type);
/* Is `now` larger (1) or smaller (-1) than `was`? 0: neither. */
int value_compare(enum pidmem_value_type type, const void *now, const void *was);
extern const struct matcher value_matcher;

/* regex.c */
int regex_compile(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error);
int regex_scratch_init(struct regex_scratch *scratch);
void regex_scratch_done(struct regex_scratch *scratch);
extern const struct matcher regex_matcher;

/* strings.c */
int strings_init(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error);
extern const struct matcher strings_matcher;

#endif
