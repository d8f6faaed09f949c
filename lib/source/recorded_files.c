/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a core leaves out of mapped files comes from the files: where, for each byte. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/range.h"
#include "format/build_id.h"
#include "source/original.h"
#include "source/recorded.h"

struct finder {
	struct pidmem_source *source;
	struct recorded *recorded;
	struct extents found;
};

static void finder_done(struct finder *finder)
{
	extents_done(&finder->found);
}

static bool is_left_out(const struct extent *extent)
{
	return extent->class_ == PIDMEM_EXCLUDED &&
	       (extent->why == PIDMEM_WHY_NOT_SAVED || extent->why == PIDMEM_WHY_DUMP_RULES ||
		extent->why == PIDMEM_WHY_FILTER);
}

/* The file holds it, up to its last page. */
static int add_piece(struct finder *finder, const struct pidmem_region *region, size_t index, uint64_t start,
		     uint64_t size)
{
	const struct original *original = &finder->recorded->originals.items[index];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), offset = region->offset + (start - region->start);
	uint64_t end = ((uint64_t)original->status.st_size + page - 1) & ~(page - 1);
	uint64_t there = offset < end ? end - offset : 0;

	there = there < size ? there : size;
	if (there && extents_add(&finder->found, &(struct extent){ .start = start,
								   .size = there,
								   .class_ = PIDMEM_READ,
								   .why = PIDMEM_WHY_MAPPED_FILE,
								   .offset = offset,
								   .file = (uint32_t)index }) < 0)
		return -ENOMEM;
	return there == size ? 0
			     : extents_add(&finder->found, &(struct extent){ .start = start + there,
									     .size = size - there,
									     .class_ = PIDMEM_NO_CONTENT,
									     .why = PIDMEM_WHY_PAST_EOF });
}

static int add_if_same(struct finder *finder, const struct pidmem_region *region, const struct origin_file *noted,
		       uint64_t start, uint64_t size)
{
	ssize_t index = originals_find(finder->source, region, noted);

	if (index < 0)
		return index == -ENOENT ? 0 : (int)index;
	return add_piece(finder, region, (size_t)index, start, size);
}

/* Our own core tells where the process had no pages of its own. */
static int add_noted(struct finder *finder, const struct pidmem_region *region, const struct extent *extent)
{
	const struct origins *origins = &finder->recorded->facts.origins;
	uint64_t last = extent->start + (extent->size - 1);
	size_t i = range_find_next(origins->ranges, origins->range_count, sizeof *origins->ranges, extent->start);
	int result = 0;

	for (; result == 0 && i < origins->range_count && origins->ranges[i].start <= last; i++) {
		const struct origin_range *range = &origins->ranges[i];
		uint64_t from = range->start > extent->start ? range->start : extent->start;
		uint64_t to = range->start + (range->size - 1);
		to = to < last ? to : last;
		result =
			add_if_same(finder, region, range->file == ORIGIN_UNKNOWN ? NULL : &origins->files[range->file],
				    from, to - from + 1);
	}
	return result;
}

/*
 * Others leave out what was never written to, but with MADV_DONTDUMP everything: only what a program's or library's own
 * headers say is not writable can be told.
 */
static int add_constant(struct finder *finder, const struct pidmem_region *region, const struct extent *extent)
{
	const struct pidmem_region *head = original_head(finder->source->maps, region);
	uint64_t into = head ? extent->start - head->start : 0;
	unsigned char page[ORIGINAL_PAGE];
	struct byte_reader reader = original_reader(page);

	if (region->perms & PIDMEM_PERM_WRITE)
		return 0;
	if (head && original_read_head(finder->source, head, page) &&
	    !module_is_constant(&reader, into, extent->size, region->offset + (extent->start - region->start)))
		return 0;
	return add_if_same(finder, region, NULL, extent->start, extent->size);
}

static int look_at(struct finder *finder, const struct extent *extent)
{
	const struct pidmem_region *region = pidmem_maps_find(finder->source->maps, extent->start);

	if (!is_left_out(extent) || !region || region->kind != PIDMEM_KIND_FILE || region->path[0] != '/')
		return 0;
	return finder->recorded->facts.origins.bytes ? add_noted(finder, region, extent)
						     : add_constant(finder, region, extent);
}

int recorded_add_files(struct pidmem_source *source, struct pidmem_error *error)
{
	struct recorded *recorded = source->recorded;
	CLEANUP(finder_done) struct finder finder = { source, recorded, { 0 } };
	const struct pidmem_select *select = source->select;
	int result = 0;

	source->select = NULL; /* the proof may lie in what is not selected */
	for (size_t i = 0; i < recorded->extents.count && result == 0; i++)
		result = look_at(&finder, &recorded->extents.items[i]);
	source->select = select;
	if (result == 0)
		result = extents_overlay(&recorded->extents, &finder.found);
	return result < 0 ? fail_memory(error) : 0;
}
