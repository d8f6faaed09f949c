/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling and reading what a file holds. */
#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "source/recorded.h"
#include "source/walk.h"

/* Smaller holes of a file are read: to ask for each of them costs as much. */
#define HOLE_LEAST (64UL << 10)

/* The extent that holds the position: the last one, or its neighbour, mostly. */
static const struct extent *extent_at(struct pidmem_walk *walk)
{
	const struct extents *extents = &walk->source->recorded->extents;

	for (size_t i = walk->extent; i < extents->count && i < walk->extent + 2; i++) {
		const struct extent *extent = &extents->items[i];
		if (walk->position >= extent->start && walk->position - extent->start < extent->size) {
			walk->extent = i;
			return extent;
		}
	}
	walk->extent = extents_find(extents, walk->position);
	return &extents->items[walk->extent];
}

/* A split dump has a file for each region. */
static int open_part(struct recorded *recorded, uint32_t file, struct pidmem_error *error)
{
	if (recorded->content && (recorded->directory < 0 || recorded->open_file == file))
		return 0;
	const char *name = recorded->names.bytes + recorded->name_offsets[file];
	content_close(take(recorded->content));
	AUTO_FD fd = openat(recorded->directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return fail_sys(error, errno, "%s/%s", recorded->path, name);
	int result = content_open(fd, name, error, &recorded->content);
	if (result < 0)
		return result;
	take_fd(&fd);
	if (recorded->zstd && (result = content_open_zstd(recorded->content, name, error, &recorded->content)) < 0) {
		content_close(take(recorded->content));
		return result;
	}
	recorded->open_file = file;
	return 0;
}

/* It is not there, though it was when the file was opened; or the disk is bad. */
static int tell_unread(struct pidmem_walk *walk, uint64_t limit, ssize_t got, struct pidmem_span *span)
{
	uint64_t page = walk->page_size - walk->position % walk->page_size;

	if (got == 0)
		return tell(walk, span, limit, PIDMEM_UNREADABLE, PIDMEM_WHY_TRUNCATED);
	return tell(walk, span, page < limit ? page : limit, PIDMEM_UNREADABLE, PIDMEM_WHY_IO);
}

static int tell_saved(struct pidmem_walk *walk, const struct extent *extent, uint64_t limit, struct pidmem_error *error,
		      struct pidmem_span *span)
{
	struct recorded *recorded = walk->source->recorded;
	uint64_t offset = extent->offset + (walk->position - extent->start), zeros;
	int result = open_part(recorded, extent->file, error);

	if (result < 0 || !recorded->content)
		return result;
	zeros = limit >= HOLE_LEAST ? recorded->content->zeros(recorded->content, offset, limit) : 0;
	if (zeros >= HOLE_LEAST)
		return tell(walk, span, zeros, PIDMEM_ZERO, PIDMEM_WHY_NONE);
	if (walk->states_only)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	size_t wanted = limit < walk->buffer_size ? (size_t)limit : walk->buffer_size;
	ssize_t got = recorded->content->reader.read(recorded->content->reader.user, offset, walk->buffer, wanted);
	return got > 0 ? tell_read(walk, (size_t)got, span) : tell_unread(walk, limit, got, span);
}

/* From the mapped file, which was the same when the core was opened; if it is not any more, nothing of it is told. */
static int tell_original(struct pidmem_walk *walk, const struct extent *extent, uint64_t limit,
			 struct pidmem_span *span)
{
	struct originals *originals = &walk->source->recorded->originals;
	const struct backing *file = original_open(originals, extent->file);
	uint64_t offset = extent->offset + (walk->position - extent->start);
	bool hole = false;
	uint64_t size = file ? backing_extent(file, offset, limit, HOLE_LEAST, &hole) : 0;

	if (size == 0)
		return tell(walk, span, limit, PIDMEM_UNREADABLE, PIDMEM_WHY_FILE);
	if (hole || walk->states_only)
		return tell(walk, span, size, hole ? PIDMEM_ZERO : PIDMEM_READ, PIDMEM_WHY_MAPPED_FILE);
	ssize_t got =
		backing_read(file, offset, walk->buffer, size < walk->buffer_size ? (size_t)size : walk->buffer_size);
	if (got <= 0 || !original_is_same(originals))
		return tell(walk, span, got > 0 ? (uint64_t)got : limit, PIDMEM_UNREADABLE, PIDMEM_WHY_FILE);
	walk->held_why = PIDMEM_WHY_MAPPED_FILE;
	return tell_read(walk, (size_t)got, span);
}

uint64_t recorded_saved_size(const struct pidmem_source *source)
{
	const struct extents *extents = &source->recorded->extents;
	uint64_t sum = 0;

	for (size_t i = 0; i < extents->count; i++) {
		const struct extent *extent = &extents->items[i];
		const struct pidmem_region *region = pidmem_maps_find(source->maps, extent->start);
		if (extent->class_ == PIDMEM_READ && extent->why == PIDMEM_WHY_NONE && region &&
		    pidmem_select_test(source->select, region, extent->start, NULL))
			sum += extent->size;
	}
	return sum;
}

int tell_recorded(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	const struct extent *extent = extent_at(walk);
	uint64_t rest = extent->size - (walk->position - extent->start);

	limit = rest < limit ? rest : limit;
	walk->held_why = PIDMEM_WHY_NONE;
	if (extent->class_ == PIDMEM_READ && extent->why == PIDMEM_WHY_MAPPED_FILE)
		return tell_original(walk, extent, limit, span);
	if (extent->class_ == PIDMEM_READ)
		return tell_saved(walk, extent, limit, error, span);
	return tell(walk, span, limit, extent->class_, extent->why);
}
