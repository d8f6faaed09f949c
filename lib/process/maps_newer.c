/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What has come since the list of all regions was read: shared mappings, which PROCMAP_QUERY tells in a microsecond
 * each, whatever else there is. It tells all but the flags of smaps; what of them a size of pages shows is put in.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "process/kernel.h"
#include "process/maps.h"
#include "process/process.h"

/* The next shared mapping at or above an address, or with `name` the one that begins there: as process_query(). */
static int query(struct pidmem_process *process, uint64_t address, char *name, uint32_t size,
		 struct procmap_query *answer)
{
	*answer = (struct procmap_query){ .query_flags = PROCMAP_QUERY_VMA_SHARED,
					  .query_addr = address,
					  .vma_name_addr = (uintptr_t)name,
					  .vma_name_size = size };
	return process_query(process, answer);
}

static bool is_listed(const struct pidmem_maps *listed, const struct procmap_query *answer)
{
	const struct pidmem_region *region = pidmem_maps_find(listed, answer->vma_start);

	return region && region->kind == PIDMEM_KIND_SHARED && region->start == answer->vma_start &&
	       region->size == answer->vma_end - answer->vma_start && region->offset == answer->vma_offset &&
	       region->inode == answer->inode && region->dev_major == answer->dev_major &&
	       region->dev_minor == answer->dev_minor;
}

/* As smaps would tell it: there is a parser for that. */
static int add(struct pidmem_maps *maps, struct pidmem_process *process, uint64_t start)
{
	char name[4096] = "", line[sizeof name + 128];
	struct procmap_query region;

	if (query(process, start, name, sizeof name, &region) != 1 || region.vma_start != start)
		return -EAGAIN;
	int size =
		snprintf(line, sizeof line, "%" PRIx64 "-%" PRIx64 " %c%c%cs %" PRIx64 " %x:%x %" PRIu64 " %s",
			 (uint64_t)region.vma_start, (uint64_t)region.vma_end, region.vma_flags & 1 ? 'r' : '-',
			 region.vma_flags & 2 ? 'w' : '-', region.vma_flags & 4 ? 'x' : '-',
			 (uint64_t)region.vma_offset, region.dev_major, region.dev_minor, (uint64_t)region.inode, name);
	int result = maps_add_line(maps, line, (size_t)size);
	bool huge = region.vma_page_size > (uint64_t)sysconf(_SC_PAGESIZE);
	const char *flags = huge ? "VmFlags: ht" : "VmFlags:";
	return result < 0 ? result : maps_add_line(maps, flags, strlen(flags));
}

int maps_find_newer(struct pidmem_process *process, const struct pidmem_maps *listed, struct pidmem_maps **out)
{
	AUTO_MAPS maps = maps_new();
	struct procmap_query answer = { 0 };
	int result = maps ? 0 : -ENOMEM;

	while (result == 0 && query(process, answer.vma_end, NULL, 0, &answer) == 1)
		if (!is_listed(listed, &answer))
			result = add(maps, process, answer.vma_start);
	if (result < 0 || maps->count == 0)
		return result;
	maps_finish(maps);
	maps_settle_names(maps, process);
	*out = take(maps);
	return 1;
}

/* A region of the list below, with those above it that come before. */
static void put(struct pidmem_maps *all, const struct pidmem_maps *above, size_t *next,
		const struct pidmem_region *region)
{
	while (*next < above->count && above->regions[*next].start < region->start)
		all->regions[all->count++] = above->regions[(*next)++];
	all->regions[all->count++] = *region;
}

static void put_part(struct pidmem_maps *all, const struct pidmem_maps *above, size_t *next,
		     const struct pidmem_region *whole, uint64_t start, uint64_t last)
{
	struct pidmem_region part = *whole;

	part.offset += whole->inode ? start - whole->start : 0;
	part.start = start;
	part.size = last - start + 1;
	put(all, above, next, &part);
}

static void put_uncovered(struct pidmem_maps *all, const struct pidmem_maps *above, size_t *next,
			  const struct pidmem_region *region)
{
	uint64_t at = region->start, last = region->start + (region->size - 1);
	const struct pidmem_region *over;

	while ((over = pidmem_maps_find_next(above, at)) && over->start <= last) {
		if (over->start > at)
			put_part(all, above, next, region, at, over->start - 1);
		if (over->start + (over->size - 1) >= last)
			return;
		at = over->start + over->size;
	}
	put_part(all, above, next, region, at, last);
}

struct pidmem_maps *maps_lay_over(struct pidmem_maps *listed, struct pidmem_maps *above)
{
	AUTO_MAPS all = maps_new();
	size_t next = 0, most = listed->count + 2 * above->count; /* each may cut one in two */

	if (!all || !(all->regions = calloc(most, sizeof *all->regions)))
		return NULL;
	all->capacity = most;
	for (size_t i = 0; i < listed->count; i++)
		put_uncovered(all, above, &next, &listed->regions[i]);
	while (next < above->count)
		all->regions[all->count++] = above->regions[next++];
	all->under = listed;
	all->paths = take(above->paths);
	all->usages = take(above->usages);
	all->usage_capacity = above->usage_capacity;
	pidmem_maps_free(above);
	return take(all);
}

bool maps_is_newer(const struct pidmem_maps *maps, const struct pidmem_region *region)
{
	return maps->under && region->usage >= maps->usages && region->usage < maps->usages + maps->usage_capacity;
}
