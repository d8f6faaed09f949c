/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copying in the stop. Single pages are read by two threads, each of them the pages of one half; large ranges one after
 * another, as two threads share each of them anyway.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"
#include "source/walk.h"

/* So large a range is. */
#define LARGE (64UL << 10)
/* So many are worth a thread. */
#define SHARED_MIN 32

struct part {
	struct precopy *precopy;
	size_t from, end; /* of the list */
	unsigned char *to;
	bool failed;
};

static uint64_t size_of(const struct page_region *range)
{
	return range->end - range->start;
}

static void copy_small(void *pointer)
{
	struct part *part = pointer;
	const struct page_region *items = part->precopy->late.list.items;

	for (size_t i = part->from; i < part->end; part->to += size_of(&items[i++])) {
		uint64_t size = size_of(&items[i]);
		if (size < LARGE &&
		    process_read(part->precopy->process, items[i].start, part->to, size, NULL) != (ssize_t)size)
			part->failed = true;
	}
}

/* False if some of them could not be read. */
static bool copy_all_small(struct precopy *precopy)
{
	size_t count = precopy->late.list.count, middle = count;
	struct part parts[2] = { { precopy, 0, count, precopy->late.bytes, false } };

	if (count >= SHARED_MIN && precopy->worker) {
		parts[0].end = middle = count / 2;
		parts[1] = (struct part){ precopy, middle, count, precopy->late.bytes, false };
		for (size_t i = 0; i < middle; i++)
			parts[1].to += size_of(&precopy->late.list.items[i]);
		worker_begin(precopy->worker, copy_small, &parts[1]);
	}
	copy_small(&parts[0]);
	if (middle < count)
		worker_wait(precopy->worker);
	return !parts[0].failed && !parts[1].failed;
}

/* What cannot be read is told by a walk through the target, which finds out why, if it knows the region by now. */
static int explain(struct precopy *precopy, uint64_t at, struct pidmem_error *error)
{
	struct frozen *frozen = precopy->frozen;
	struct pidmem_span unknown = {
		.start = at,
		.size = precopy->store.page_size,
		.class_ = PIDMEM_UNREADABLE,
		.why = PIDMEM_WHY_IO,
		.region = pidmem_maps_find(precopy->maps, at),
	};
	struct pidmem_span span;
	size_t before = frozen->kept.count;
	int result = pause_open_saver(frozen, error);

	if (result < 0)
		return result;
	walk_seek(frozen->saver, at, precopy->store.page_size);
	while ((result = pidmem_walk_next(frozen->saver, error, &span)) == 1)
		if (kept_add(&frozen->kept, &span) < 0)
			return fail_memory(error);
	if (result == 0 && frozen->kept.count == before && kept_add(&frozen->kept, &unknown) < 0)
		return fail_memory(error);
	return result;
}

static int copy_range(struct precopy *precopy, const struct page_region *range, unsigned char *to,
		      struct pidmem_error *error)
{
	for (uint64_t at = range->start, size; at < range->end; at += size, to += size) {
		ssize_t got = process_read(precopy->process, at, to, range->end - at, error);
		if (got < 0 && got != -EIO)
			return (int)got;
		size = got > 0 ? (uint64_t)got - (uint64_t)got % precopy->store.page_size : 0;
		if (size)
			continue;
		int result = explain(precopy, at, error);
		if (result < 0)
			return result;
		size = precopy->store.page_size;
		memset(to, 0, size);
	}
	return 0;
}

int precopy_copy_late(struct precopy *precopy, struct pidmem_error *error)
{
	const struct page_list *late = &precopy->late.list;
	unsigned char *to = precopy->late.bytes;
	bool again = !copy_all_small(precopy);
	int result = 0;

	for (size_t i = 0; i < late->count && result == 0; to += size_of(&late->items[i++]))
		if (again || size_of(&late->items[i]) >= LARGE)
			result = copy_range(precopy, &late->items[i], to, error);
	return result;
}
