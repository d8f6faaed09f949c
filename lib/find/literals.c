/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many literals in one pass, in the manner of Wu and Manber: of each of them as many windows of four bytes in a row are
 * put into a table as the pass makes steps, so that one of them is met wherever the literal stands. What is met is
 * compared in full. Case is passed over in the table, so that literals of both ways share it.
 */
#include <errno.h>
#include <string.h>

#include "find/pattern.h"

#define WINDOW 4
#define FOLD 0xdfU
#define MOST_STEP 8
#define HASH_BITS 17
/* Fewer are faster one by one; a pass in steps of one takes the time of so many. */
#define LEAST_LITERALS 3
#define PASS_COST 24

/* Places that are collected before any of them is looked at closer. */
#define MOST_PLACES 512

/* A window of a literal: its bytes, where in it, and the next one of the same hash. */
struct entry {
	uint32_t word, pattern, at, next;
};

struct literals {
	const struct pattern *patterns;
	uint32_t *seen;   /* a bit for each hash: most of the memory is passed by it alone */
	uint32_t *first;  /* entry by hash, + 1 */
	uint8_t *members; /* a flag for each pattern */
	struct entry *entries;
	size_t member_count, entry_count, step, longest;
};

/* The window at a place, whatever the case of its letters. */
static uint32_t folded(const unsigned char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof word);
	return word & (FOLD * 0x01010101U);
}

static uint32_t hash(uint32_t word)
{
	return (word * 0x9e3779b1U) >> (32 - HASH_BITS);
}

/* From here on all bytes are known, apart from their case: how many. */
static size_t known_from(const struct literal *literal, size_t at)
{
	size_t end = at;

	while (end < literal->size && (literal->mask[end] & FOLD) == FOLD)
		end++;
	return end - at;
}

/* The longest such part. */
static size_t known_part(const struct literal *literal, size_t *size)
{
	size_t best = 0;

	*size = 0;
	for (size_t at = 0, length; at < literal->size; at += length + 1) {
		length = known_from(literal, at);
		if (length <= *size)
			continue;
		*size = length;
		best = at;
	}
	return best;
}

/* In steps of how many bytes is it met, at most? 0 if it is no literal, or too short. */
static size_t possible_step(const struct pattern *pattern)
{
	size_t size = 0;

	if (pattern->matcher == &literal_matcher)
		known_part(&pattern->literal, &size);
	return size < WINDOW ? 0 : size - WINDOW < MOST_STEP ? size - WINDOW + 1 : MOST_STEP;
}

/* Longer steps make a faster pass; those that are too short for them are looked for one by one. */
static size_t choose_step(const struct pidmem_patterns *patterns)
{
	size_t able[MOST_STEP + 1] = { 0 }, alone = 0, least = SIZE_MAX, best = 1;

	for (size_t i = 0; i < patterns->count; i++)
		able[possible_step(&patterns->items[i])]++;
	for (size_t step = 1; step <= MOST_STEP; step++) {
		size_t cost = PASS_COST / step + alone;
		if (cost < least) {
			least = cost;
			best = step;
		}
		alone += able[step];
	}
	return best;
}

/* How many there are. */
static size_t choose(struct literals *literals, const struct pidmem_patterns *patterns)
{
	literals->step = choose_step(patterns);
	for (size_t i = 0; i < patterns->count; i++) {
		const struct pattern *pattern = &patterns->items[i];
		if (possible_step(pattern) < literals->step)
			continue;
		literals->members[i] = 1;
		literals->member_count++;
		if (pattern->longest > literals->longest)
			literals->longest = pattern->longest;
	}
	return literals->member_count;
}

static void fill(struct literals *literals, size_t pattern)
{
	const struct literal *literal = &literals->patterns[pattern].literal;
	size_t size, at = known_part(literal, &size);

	for (size_t i = 0; i < literals->step; i++) {
		uint32_t word = folded(literal->value + at + i), key = hash(word);
		literals->entries[literals->entry_count] =
			(struct entry){ word, (uint32_t)pattern, (uint32_t)(at + i), literals->first[key] };
		literals->first[key] = (uint32_t)++literals->entry_count;
		literals->seen[key / 32] |= 1U << key % 32;
	}
}

void literals_free(struct literals *literals)
{
	if (!literals)
		return;
	free(literals->seen);
	free(literals->first);
	free(literals->members);
	free(literals->entries);
	free(literals);
}
DEFINE_CLEANUP(cleanup_literals, struct literals *, literals_free)

/* *out is NULL if it is not worth while. */
int literals_new(const struct pidmem_patterns *patterns, struct literals **out)
{
	CLEANUP(cleanup_literals) struct literals *literals = calloc(1, sizeof *literals);

	*out = NULL;
	if (!literals || !(literals->members = calloc(patterns->count + 1, 1)))
		return -ENOMEM;
	if (choose(literals, patterns) < LEAST_LITERALS)
		return 0;
	literals->patterns = patterns->items;
	literals->seen = calloc(1, (1U << HASH_BITS) / 8);
	literals->first = calloc(1U << HASH_BITS, sizeof *literals->first);
	literals->entries = calloc(literals->member_count * literals->step, sizeof *literals->entries);
	if (!literals->seen || !literals->first || !literals->entries)
		return -ENOMEM;
	for (size_t i = 0; i < patterns->count; i++)
		if (literals->members[i])
			fill(literals, i);
	*out = take(literals);
	return 0;
}

bool literals_has(const struct literals *literals, size_t pattern)
{
	return literals && literals->members[pattern];
}

size_t literals_count(const struct literals *literals)
{
	return literals ? literals->member_count : 0;
}

/* What has this window at `place`? */
static void look_closer(const struct literals *literals, const struct look *look, size_t place)
{
	const struct window *window = look->window;
	uint32_t word = folded(window->bytes + place);

	for (uint32_t i = literals->first[hash(word)]; i; i = literals->entries[i - 1].next) {
		const struct entry *entry = &literals->entries[i - 1];
		if (entry->word != word)
			continue;
		const struct literal *literal = &literals->patterns[entry->pattern].literal;
		size_t at = place - entry->at;
		if (place < entry->at || at < look->from || at >= look->to || literal->size > window->size - at ||
		    !literal_fits(literal, window->bytes + at))
			continue;
		struct look found = *look;
		found.pattern = entry->pattern;
		look_found(&found, at, literal->size);
	}
}

/*
 * The next places below `end` whose windows were seen: how many; *from is behind the last one that was looked at. No
 * branch depends on what is in memory: which of them pass no processor can foresee.
 */
static size_t collect(const struct literals *literals, const unsigned char *bytes, size_t *from, size_t end,
		      size_t *places)
{
	const uint32_t *seen = literals->seen;
	size_t place = *from, step = literals->step, count = 0;

	if ((end - place) / step > MOST_PLACES)
		end = place + MOST_PLACES * step;
	for (; place < end; place += step) {
		uint32_t key = hash(folded(bytes + place));
		places[count] = place;
		count += seen[key / 32] >> key % 32 & 1;
	}
	*from = place;
	return count;
}

void literals_scan(const struct literals *literals, const struct look *look)
{
	size_t places[MOST_PLACES + 1] = { 0 }, end = look->to + literals->longest, from = look->from;

	end = end < look->window->size ? end : look->window->size;
	while (from + WINDOW <= end) {
		size_t count = collect(literals, look->window->bytes, &from, end - WINDOW + 1, places);
		for (size_t i = 0; i < count; i++)
			look_closer(literals, look, places[i]);
	}
}
