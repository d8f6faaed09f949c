/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diff/moved.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/maps.h"
#include "source/source.h"
#include "source/span.h"

/* Among regions that are alike, so many are tried. */
#define TRIES 4
/* By then it is known that they are not the same. */
#define ENOUGH (1ULL << 20)

typedef const struct pidmem_region *region_t;

struct mover {
	struct moves *moves;
	struct pidmem_source *const *sources;
	unsigned flags;
	struct watch *watch;
	struct pidmem_error *error;
	region_t *lone[2];
	size_t counts[2];
};

static void mover_done(struct mover *mover)
{
	free(mover->lone[0]);
	free(mover->lone[1]);
}

void moves_done(struct moves *moves)
{
	free(moves->items);
	free(moves->gone);
	*moves = (struct moves){ 0 };
}

/* ------------------------------------------------------------------------------------ what may have moved --- */

#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int compare_likeness(region_t one, region_t other)
{
	COMPARE(one->size, other->size);
	COMPARE((int)one->kind, (int)other->kind);
	COMPARE(one->perms, other->perms);
	COMPARE(one->offset, other->offset);
	return strcmp(one->path, other->path);
}

static int by_likeness(const void *one, const void *other)
{
	region_t a = *(const region_t *)one, b = *(const region_t *)other;
	int order = compare_likeness(a, b);

	return order ? order : (a->start > b->start) - (a->start < b->start);
}

/* Regions where the other source has nothing. */
static int list_lone(struct mover *mover, int side)
{
	const struct pidmem_maps *own = pidmem_source_maps(mover->sources[side]);
	const struct pidmem_maps *others = pidmem_source_maps(mover->sources[1 - side]);

	mover->lone[side] = calloc(own->count + 1, sizeof(region_t));
	if (!mover->lone[side])
		return fail_memory(mover->error);
	for (size_t i = 0; i < own->count; i++) {
		region_t region = &own->regions[i], next = pidmem_maps_find_next(others, region->start);
		bool selected = pidmem_select_test(mover->sources[side]->select, region, region->start, NULL);
		if (selected && (!next || next->start > region->start + (region->size - 1)))
			mover->lone[side][mover->counts[side]++] = region;
	}
	qsort(mover->lone[side], mover->counts[side], sizeof(region_t), by_likeness);
	return 0;
}

/* ------------------------------------------------------------------------------------- is it the same one? --- */

struct side {
	struct pidmem_walk *walk;
	struct pidmem_span span; /* what is left of it */
};

static void sides_done(struct side (*sides)[2])
{
	pidmem_walk_close((*sides)[0].walk);
	pidmem_walk_close((*sides)[1].walk);
}

static uint64_t count_changed(const unsigned char *one, const unsigned char *other, uint64_t size)
{
	uint64_t changed = 0;

	if (!one && !other)
		return 0;
	if (one && other && !memcmp(one, other, size))
		return 0;
	for (uint64_t i = 0; i < size; i++)
		changed += (one ? one[i] : 0) != (other ? other[i] : 0);
	return changed;
}

/* How much of what both have is not the same? `weight` counts what is not zero in both. */
static int compare(struct mover *mover, struct move *move, uint64_t *weight)
{
	CLEANUP(sides_done) struct side sides[2] = { 0 };
	int result = 0;

	for (int i = 0; i < 2 && result >= 0; i++)
		result = pidmem_walk_open(mover->sources[i], move->regions[i]->start, move->regions[i]->size,
					  mover->flags, mover->error, &sides[i].walk);
	while (result >= 0) {
		for (int i = 0; i < 2; i++)
			if (!sides[i].span.size &&
			    (result = pidmem_walk_next(sides[i].walk, mover->error, &sides[i].span)) <= 0)
				return result;
		if (watch_step(mover->watch, 0))
			return file_cancelled(mover->error);
		struct pidmem_span *one = &sides[0].span, *other = &sides[1].span;
		uint64_t size = one->size < other->size ? one->size : other->size;
		if (span_is_known(one) && span_is_known(other)) {
			move->compared += size;
			move->changed += count_changed(one->bytes, other->bytes, size);
			*weight += one->bytes || other->bytes ? size : 0;
		}
		if (*weight >= ENOUGH && move->changed > *weight / 2)
			return 0;
		span_skip(one, size);
		span_skip(other, size);
	}
	return result;
}

/* Of mapped files the name is enough, where none of it can be compared; of other memory it is not. */
static int is_move(struct mover *mover, region_t one, region_t other, struct move *move)
{
	uint64_t weight = 0;

	*move = (struct move){ .regions = { one, other } };
	if (one->inode && other->inode && one->inode != other->inode)
		return 0;
	int result = compare(mover, move, &weight);
	if (result < 0)
		return result;
	return move->compared ? move->changed <= weight / 2 : one->path_size > 0;
}

/* ------------------------------------------------------------------------------------------------ pairs --- */

static int add(struct moves *moves, const struct move *move, struct pidmem_error *error)
{
	struct move *items = array_grow(moves->items, moves->count, &moves->capacity, sizeof *items);

	if (!items)
		return fail_memory(error);
	moves->items = items;
	items[moves->count++] = *move;
	return 0;
}

/* Where is `one` now? Among those from `first` on that are like it, and that nobody else has become. */
static int find_for(struct mover *mover, region_t one, size_t first)
{
	region_t *others = mover->lone[1];
	struct move move;

	for (size_t i = first, tries = 0; i < mover->counts[1] && tries < TRIES; i++) {
		if (!others[i])
			continue;
		if (compare_likeness(one, others[i]))
			break;
		int result = is_move(mover, one, others[i], &move);
		if (result < 0)
			return result;
		tries++;
		if (!result)
			continue;
		others[i] = NULL;
		return add(mover->moves, &move, mover->error);
	}
	return 0;
}

static int find_pairs(struct mover *mover)
{
	region_t like = NULL;
	size_t first = 0;
	int result = 0;

	for (size_t i = 0; i < mover->counts[0] && result >= 0; i++) {
		region_t one = mover->lone[0][i];
		if (!like || compare_likeness(like, one)) /* of those before, some are taken */
			while (first < mover->counts[1] &&
			       (!mover->lone[1][first] || compare_likeness(mover->lone[1][first], one) < 0))
				first++;
		like = one;
		result = find_for(mover, one, first);
	}
	return result;
}

static int by_place(const void *one, const void *other)
{
	const struct move *a = one, *b = other;

	return (a->regions[1]->start > b->regions[1]->start) - (a->regions[1]->start < b->regions[1]->start);
}

static int by_pointer(const void *one, const void *other)
{
	region_t a = *(const region_t *)one, b = *(const region_t *)other;

	return (a > b) - (a < b);
}

int moves_find(struct moves *moves, struct pidmem_source *const sources[2], unsigned flags, struct watch *watch,
	       struct pidmem_error *error)
{
	CLEANUP(mover_done)
	struct mover mover = { moves, sources, flags, watch, error, { NULL }, { 0 } };
	int result = list_lone(&mover, 0);

	if (result >= 0)
		result = list_lone(&mover, 1);
	if (result >= 0)
		result = find_pairs(&mover);
	if (result < 0 || !moves->count)
		return result;
	moves->gone = calloc(moves->count, sizeof(region_t));
	if (!moves->gone)
		return fail_memory(error);
	for (size_t i = 0; i < moves->count; i++)
		moves->gone[i] = moves->items[i].regions[0];
	qsort(moves->items, moves->count, sizeof *moves->items, by_place);
	qsort(moves->gone, moves->count, sizeof(region_t), by_pointer);
	return 0;
}

const struct move *moves_to(const struct moves *moves, const struct pidmem_region *region)
{
	const struct move wanted = { .regions = { NULL, region } };

	return moves->count ? bsearch(&wanted, moves->items, moves->count, sizeof wanted, by_place) : NULL;
}

bool moves_has_gone(const struct moves *moves, const struct pidmem_region *region)
{
	return moves->count && bsearch(&region, moves->gone, moves->count, sizeof(region_t), by_pointer);
}
