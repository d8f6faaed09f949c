/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "find/hits.h"

#include <stdlib.h>

#include "base/buffer.h"

void hits_add(struct hits *hits, size_t at, size_t size, uint32_t pattern)
{
	struct hit *items = array_grow(hits->items, hits->count, &hits->capacity, sizeof *items);

	if (!items) {
		hits->failed = true;
		return;
	}
	hits->items = items;
	items[hits->count++] = (struct hit){ (uint32_t)at, (uint32_t)size, pattern };
}

static int compare(const void *one, const void *other)
{
	const struct hit *a = one, *b = other;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->pattern > b->pattern) - (a->pattern < b->pattern);
}

void hits_sort(struct hits *hits, size_t first)
{
	for (size_t i = first + 1; i < hits->count; i++) {
		if (compare(&hits->items[i - 1], &hits->items[i]) <= 0)
			continue;
		qsort(hits->items + first, hits->count - first, sizeof *hits->items, compare);
		return;
	}
}

void hits_drop(struct hits *hits, uint32_t pattern)
{
	size_t kept = 0;

	for (size_t i = 0; i < hits->count; i++)
		if (hits->items[i].pattern != pattern)
			hits->items[kept++] = hits->items[i];
	hits->count = kept;
}

void hits_done(struct hits *hits)
{
	free(hits->items);
	*hits = (struct hits){ 0 };
}
