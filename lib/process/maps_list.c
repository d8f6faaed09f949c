/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building the list of regions from the lines of maps or smaps; opening /proc is somebody else's work. */
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/maps.h"

struct path_block {
	struct path_block *next;
	size_t used, size;
	char bytes[];
};

struct pidmem_maps *maps_new(void)
{
	return calloc(1, sizeof(struct pidmem_maps));
}

void pidmem_maps_free(struct pidmem_maps *maps)
{
	if (!maps)
		return;
	for (struct path_block *block = maps->paths, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	pidmem_maps_free(maps->under);
	free(maps->regions);
	free(maps->usages);
	free(maps);
}

static char *path_room(struct pidmem_maps *maps, size_t size)
{
	struct path_block *block = maps->paths;

	if (!block || block->size - block->used < size) {
		size_t room = size > 16000 ? size : 16000;
		block = malloc(sizeof *block + room);
		if (!block)
			return NULL;
		*block = (struct path_block){ .next = maps->paths, .size = room };
		maps->paths = block;
	}
	block->used += size;
	return block->bytes + block->used - size;
}

int maps_set_path(struct pidmem_maps *maps, struct pidmem_region *region, const char *path, size_t size)
{
	char *room = path_room(maps, size + 1);

	if (!room)
		return -ENOMEM;
	memcpy(room, path, size);
	room[size] = 0;
	region->path = room;
	region->path_size = size;
	return 0;
}

/* The kernel escapes newlines alone (seq_path with "\n"), as \012. */
static size_t unescape(char *path, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < size; i++) {
		bool newline = size - i >= 4 && !memcmp(path + i, "\\012", 4);
		path[out++] = newline ? '\n' : path[i];
		i += newline ? 3 : 0;
	}
	return out;
}

static int set_raw_path(struct pidmem_maps *maps, struct pidmem_region *region, const char *raw, size_t size)
{
	static const char mark[] = " (deleted)";
	const struct pidmem_region *previous = maps->count ? &maps->regions[maps->count - 1] : NULL;

	region->deleted = size >= sizeof mark && !memcmp(raw + size - (sizeof mark - 1), mark, sizeof mark - 1);
	if (region->deleted)
		size -= sizeof mark - 1;
	/* Neighbours often map one file: share its name. */
	if (previous && previous->path_size == size && !memcmp(previous->path, raw, size)) {
		region->path = previous->path;
		region->path_size = size;
		return 0;
	}
	if (maps_set_path(maps, region, raw, size) < 0)
		return -ENOMEM;
	if (memchr(raw, '\\', size)) {
		char *path = maps->paths->bytes + maps->paths->used - size - 1;
		region->path_size = unescape(path, size);
		path[region->path_size] = 0;
	}
	return 0;
}

/*
 * The kernel prints a large list in pieces and lets go of it in between, so that a region that was merged or moved
 * meanwhile can begin before the last one printed: keep what is new of it. Returns false if nothing is.
 */
static bool clip(const struct pidmem_maps *maps, struct pidmem_region *region)
{
	const struct pidmem_region *previous = maps->count ? &maps->regions[maps->count - 1] : NULL;
	uint64_t last = region->start + (region->size - 1);

	if (!previous)
		return true;
	uint64_t previous_last = previous->start + (previous->size - 1);
	if (region->start > previous_last)
		return true;
	if (last <= previous_last)
		return false;
	region->offset += previous_last + 1 - region->start;
	region->start = previous_last + 1;
	region->size = last - previous_last;
	return true;
}

static int add_region(struct pidmem_maps *maps, const char *line, size_t size)
{
	struct pidmem_region region;
	const char *path;

	if (!region_parse(&region, line, size, &path))
		return -EBADMSG;
	maps->usage_open = clip(maps, &region);
	if (!maps->usage_open)
		return 0;
	if (set_raw_path(maps, &region, path, (size_t)(line + size - path)) < 0)
		return -ENOMEM;
	region.kind = region_kind(&region);
	struct pidmem_region *regions = array_grow(maps->regions, maps->count, &maps->capacity, sizeof region);
	if (!regions)
		return -ENOMEM;
	maps->regions = regions;
	regions[maps->count++] = region;
	return 0;
}

/* A usage for each region that there is room for. */
static int make_usages(struct pidmem_maps *maps)
{
	if (maps->usage_capacity >= maps->capacity)
		return 0;
	struct pidmem_usage *usages = reallocarray(maps->usages, maps->capacity, sizeof *usages);
	if (!usages)
		return -ENOMEM;
	memset(usages + maps->usage_capacity, 0, (maps->capacity - maps->usage_capacity) * sizeof *usages);
	maps->usages = usages;
	maps->usage_capacity = maps->capacity;
	return 0;
}

static int add_usage_line(struct pidmem_maps *maps, const char *line, size_t size)
{
	if (maps->count == 0)
		return -EBADMSG;
	if (!maps->usage_open) /* of a region that was clipped away */
		return 0;
	if (make_usages(maps) < 0)
		return -ENOMEM;
	return smaps_parse_line(&maps->usages[maps->count - 1], line, size);
}

int maps_add_line(struct pidmem_maps *maps, const char *line, size_t size)
{
	maps->line++;
	if (size && *line >= 'A' && *line <= 'Z') /* addresses are printed in small letters */
		return add_usage_line(maps, line, size);
	return add_region(maps, line, size);
}

int maps_add_copy(struct pidmem_maps *maps, const struct pidmem_region *region)
{
	struct pidmem_region *regions = array_grow(maps->regions, maps->count, &maps->capacity, sizeof *regions);

	if (!regions)
		return -ENOMEM;
	maps->regions = regions;
	regions[maps->count] = *region;
	if (make_usages(maps) < 0 || maps_set_path(maps, &regions[maps->count], region->path, region->path_size) < 0)
		return -ENOMEM;
	if (region->usage)
		maps->usages[maps->count] = *region->usage;
	maps->count++;
	return 0;
}

void maps_finish(struct pidmem_maps *maps)
{
	for (size_t i = 0; maps->usages && i < maps->count; i++) {
		const struct pidmem_usage *usage = i < maps->usage_capacity ? &maps->usages[i] : NULL;
		maps->regions[i].usage = usage;
		if (usage) {
			maps->regions[i].resident = usage->rss + usage->shared_hugetlb + usage->private_hugetlb;
			maps->regions[i].swapped = usage->swap;
		}
	}
}

int pidmem_maps_parse(const char *text, size_t size, struct pidmem_error *error, struct pidmem_maps **out)
{
	AUTO_MAPS maps = maps_new();

	if (!maps)
		return fail_memory(error);
	for (const char *line = text, *end = text + size, *next; line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		next = newline ? newline + 1 : end;
		int result = maps_add_line(maps, line, (size_t)((newline ? newline : end) - line));
		if (result == -ENOMEM)
			return fail_memory(error);
		if (result < 0)
			return with_address(error,
					    fail(error, PIDMEM_FORMAT, EBADMSG,
						 "line %llu is not a line of maps or smaps",
						 (unsigned long long)maps->line),
					    maps->line);
	}
	maps_finish(maps);
	*out = take(maps);
	return 0;
}
