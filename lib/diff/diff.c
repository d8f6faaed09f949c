/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going through two sources in step. */
#include "diff/diff.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "sink/watch.h"
#include "source/source.h"
#include "source/span.h"

#define PAGE 4096ULL
/* Changes that lie closer together are one, within a page. */
#define GAP 16
/* Looked at as a whole first. */
#define BLOCK 4096

struct side {
	struct pidmem_source *source;
	struct pidmem_account *account;
	struct pidmem_walk *walk;
	struct pidmem_span span; /* what is left of it */
	bool ended;
};

struct pidmem_diff {
	struct side sides[2];
	struct region_pair regions;
	struct moves moves;
	bool began;
	unsigned flags; /* of walks */
	struct watch watch;
	/* A stretch that both have: NULL for zeros. */
	const unsigned char *bytes[2];
	uint64_t address, size, at;
	struct pidmem_difference held; /* that may go on; of size 0 if there is none */
	unsigned char kept[2][PIDMEM_DIFF_BYTES], given[2][PIDMEM_DIFF_BYTES];
	struct pidmem_diff_report report;
};

void pidmem_diff_close(struct pidmem_diff *diff)
{
	if (!diff)
		return;
	for (int i = 0; i < 2; i++)
		pidmem_walk_close(diff->sides[i].walk);
	moves_done(&diff->moves);
	free(diff);
}
DEFINE_CLEANUP(cleanup_diff, struct pidmem_diff *, pidmem_diff_close)

int pidmem_diff_open(struct pidmem_source *one, struct pidmem_source *other, const struct pidmem_diff_options *given,
		     struct pidmem_account *one_account, struct pidmem_account *other_account,
		     struct pidmem_error *error, struct pidmem_diff **out)
{
	struct pidmem_diff_options options;
	CLEANUP(cleanup_diff) struct pidmem_diff *diff = calloc(1, sizeof *diff);
	int result = options_take(&options, sizeof options, given, error);

	if (!diff)
		return fail_memory(error);
	diff->sides[0] = (struct side){ .source = one, .account = one_account };
	diff->sides[1] = (struct side){ .source = other, .account = other_account };
	diff->flags = options.swapped ? 0 : PIDMEM_WALK_NO_SWAP;
	diff->regions.moves = &diff->moves;
	watch_init(&diff->watch, options.progress, options.user);
	for (int i = 0; i < 2 && result >= 0; i++) {
		struct side *side = &diff->sides[i];
		diff->regions.maps[i] = pidmem_source_maps(side->source);
		diff->regions.selects[i] = side->source->select;
		diff->watch.state.expected += options.progress ? source_expected(side->source) : 0;
		result = pidmem_walk_open(side->source, 0, UINT64_MAX, diff->flags, error, &side->walk);
	}
	if (result < 0)
		return result;
	*out = take(diff);
	return 0;
}

/* -------------------------------------------------------------------------------------------- in step --- */

/* Something of the side's span must be left, unless it has ended. */
static int fill(struct pidmem_diff *diff, struct side *side, struct pidmem_error *error)
{
	if (side->ended || side->span.size)
		return 0;
	int result = pidmem_walk_next(side->walk, error, &side->span);
	side->ended = result == 0;
	if (result <= 0)
		return result;
	if (watch_is_cancelled(&diff->watch, &side->span))
		return file_cancelled(error);
	return pidmem_account_add(side->account, &side->span, error);
}

/* Both are at the same address, and go on together for `size` bytes. */
static void take_stretch(struct pidmem_diff *diff, uint64_t size)
{
	const struct pidmem_span *one = &diff->sides[0].span, *other = &diff->sides[1].span;

	if (!span_is_known(one) || !span_is_known(other)) {
		if (span_is_known(one) || span_is_known(other))
			diff->report.not_compared += size;
		return;
	}
	diff->report.compared += size;
	if (!one->bytes && !other->bytes)
		return;
	diff->address = one->start;
	diff->size = size;
	diff->at = 0;
	diff->bytes[0] = one->bytes;
	diff->bytes[1] = other->bytes;
}

/* The next stretch to be compared: 1 with diff->size, 0 at the end, -errno. */
static int next_stretch(struct pidmem_diff *diff, struct pidmem_error *error)
{
	struct side *one = &diff->sides[0], *other = &diff->sides[1];
	int result;

	diff->size = diff->at = 0;
	while (!diff->size) {
		if ((result = fill(diff, one, error)) < 0 || (result = fill(diff, other, error)) < 0)
			return result;
		if (one->ended && other->ended)
			return 0;
		bool first = !one->ended && (other->ended || one->span.start < other->span.start);
		bool second = !other->ended && (one->ended || other->span.start < one->span.start);
		struct side *lower = second ? other : one, *higher = second ? one : other;
		uint64_t size = lower->span.size;
		if (first || second) { /* mapped in one of them alone: the regions tell */
			uint64_t gap = higher->span.start - lower->span.start;
			span_skip(&lower->span, higher->ended || gap > size ? size : gap);
			continue;
		}
		size = size < higher->span.size ? size : higher->span.size;
		take_stretch(diff, size);
		span_skip(&one->span, size);
		span_skip(&other->span, size);
	}
	return 1;
}

/* ------------------------------------------------------------------------------------------- comparing --- */

static bool same_block(const struct pidmem_diff *diff, uint64_t at, size_t size)
{
	static const unsigned char zeros[BLOCK];
	const unsigned char *one = diff->bytes[0] ? diff->bytes[0] + at : zeros;
	const unsigned char *other = diff->bytes[1] ? diff->bytes[1] + at : zeros;

	return memcmp(one, other, size) == 0;
}

static unsigned char byte_at(const struct pidmem_diff *diff, int side, uint64_t at)
{
	return diff->bytes[side] ? diff->bytes[side][at] : 0;
}

static bool same_byte(const struct pidmem_diff *diff, uint64_t at)
{
	return byte_at(diff, 0, at) == byte_at(diff, 1, at);
}

/* From diff->at on, the next bytes that differ: [*from, *to). */
static bool find_change(struct pidmem_diff *diff, uint64_t *from, uint64_t *to)
{
	uint64_t at = diff->at, size = diff->size;

	while (at < size) {
		size_t block = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
		if (!same_block(diff, at, block))
			break;
		at += block;
	}
	while (at < size && same_byte(diff, at))
		at++;
	diff->at = *from = at;
	while (at < size && !same_byte(diff, at))
		at++;
	*to = diff->at = at;
	return *from < *to;
}

/* Keep the beginning of what is told, of both sides. */
static void keep(struct pidmem_diff *diff, uint64_t from, uint64_t to)
{
	struct pidmem_difference *held = &diff->held;

	for (uint64_t at = from; at < to && held->known < PIDMEM_DIFF_BYTES; at++, held->known++)
		for (int i = 0; i < 2; i++)
			diff->kept[i][held->known] = byte_at(diff, i, at);
}

/* Do changes up to `end`, and from `begin` on, belong together? Never by how the memory came in pieces. */
static bool belong_together(const struct pidmem_diff *diff, uint64_t from)
{
	uint64_t end = diff->held.address + diff->held.size, begin = diff->address + from;

	return diff->held.size && begin - end <= GAP && begin - end <= from &&
	       (begin == end || (end - 1) / PAGE == begin / PAGE);
}

static void hold(struct pidmem_diff *diff, uint64_t from, uint64_t to)
{
	uint64_t address = diff->address + from;
	const struct pidmem_maps *const *maps = diff->regions.maps;

	diff->held = (struct pidmem_difference){ .kind = PIDMEM_CONTENT, .address = address };
	for (int i = 0; i < 2; i++)
		diff->held.regions[i] = pidmem_maps_find(maps[i], address);
	diff->held.size = to - from;
	keep(diff, from, to);
}

static void give_held(struct pidmem_diff *diff, struct pidmem_difference *out)
{
	memcpy(diff->given, diff->kept, sizeof diff->kept);
	*out = diff->held;
	out->before = diff->given[0];
	out->after = diff->given[1];
	diff->held.size = 0;
}

static int next_content(struct pidmem_diff *diff, struct pidmem_error *error, struct pidmem_difference *out)
{
	uint64_t from, to, gap;
	bool given;
	int result;

	for (;;) {
		if (!find_change(diff, &from, &to)) {
			result = next_stretch(diff, error);
			if (result == 1)
				continue;
			if (result < 0 || !diff->held.size)
				return result;
			give_held(diff, out);
			return 1;
		}
		diff->report.changed += to - from;
		if (belong_together(diff, from)) {
			gap = diff->address + from - (diff->held.address + diff->held.size);
			keep(diff, from - gap, to);
			diff->held.size += gap + (to - from);
			continue;
		}
		given = diff->held.size;
		if (given)
			give_held(diff, out);
		hold(diff, from, to);
		if (given)
			return 1;
	}
}

/* Not when it is opened: it takes its time, and can be cancelled. */
static int begin(struct pidmem_diff *diff, struct pidmem_error *error)
{
	struct pidmem_source *const sources[2] = { diff->sides[0].source, diff->sides[1].source };
	int result = moves_find(&diff->moves, sources, diff->flags, &diff->watch, error);

	for (size_t i = 0; result >= 0 && i < diff->moves.count; i++) {
		diff->report.compared += diff->moves.items[i].compared;
		diff->report.changed += diff->moves.items[i].changed;
	}
	diff->began = result >= 0;
	return result;
}

int pidmem_diff_next(struct pidmem_diff *diff, struct pidmem_error *error, struct pidmem_difference *difference)
{
	int result = diff->began ? 0 : begin(diff, error);

	if (result < 0)
		return result;
	if (!diff->regions.ended && region_pair_next(&diff->regions, difference))
		return 1;
	return next_content(diff, error, difference);
}

int pidmem_diff_describe(const struct pidmem_diff *diff, struct pidmem_error *error, struct pidmem_diff_report *report)
{
	int result = options_check_room(report, error);

	if (result == 0)
		options_give(report, &diff->report, sizeof diff->report);
	return result;
}
