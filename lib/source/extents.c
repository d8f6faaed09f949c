/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/extents.h"

#include <errno.h>

#include "base/buffer.h"
#include "base/range.h"

static uint64_t last_of(const struct extent *extent)
{
	return extent->start + (extent->size - 1);
}

void extents_done(struct extents *extents)
{
	free(extents->items);
	*extents = (struct extents){ 0 };
}

int extents_add(struct extents *extents, const struct extent *extent)
{
	struct extent *items = array_grow(extents->items, extents->count, &extents->capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	extents->items = items;
	items[extents->count++] = *extent;
	return 0;
}

/* The part of an extent from `first` to `last`. */
static int add_part(struct extents *out, const struct extent *extent, uint64_t first, uint64_t last)
{
	struct extent part = *extent;

	part.start = first;
	part.size = last - first + 1;
	if (part.class_ == PIDMEM_READ)
		part.offset += first - extent->start;
	return extents_add(out, &part);
}

/* One of the base, under those of `over` from *at on, which is moved on. */
static int overlay_one(struct extents *out, const struct extent *base, const struct extents *over, size_t *at)
{
	uint64_t position = base->start, last = last_of(base);
	int result = 0;

	while (*at < over->count && last_of(&over->items[*at]) < position)
		++*at;
	for (size_t i = *at; result == 0 && i < over->count && over->items[i].start <= last; i++) {
		const struct extent *upper = &over->items[i];
		uint64_t first = upper->start > position ? upper->start : position;
		uint64_t end = last_of(upper) < last ? last_of(upper) : last;
		if (first > position)
			result = add_part(out, base, position, first - 1);
		if (result == 0)
			result = add_part(out, upper, first, end);
		if (end == last)
			return result;
		position = end + 1;
	}
	return result < 0 ? result : add_part(out, base, position, last);
}

int extents_overlay(struct extents *base, const struct extents *over)
{
	AUTO_EXTENTS out = { 0 };
	size_t at = 0;

	if (over->count == 0)
		return 0;
	for (size_t i = 0; i < base->count; i++)
		if (overlay_one(&out, &base->items[i], over, &at) < 0)
			return -ENOMEM;
	extents_done(base);
	*base = out;
	out = (struct extents){ 0 };
	return 0;
}

size_t extents_find(const struct extents *extents, uint64_t address)
{
	return range_find_next(extents->items, extents->count, sizeof *extents->items, address);
}
