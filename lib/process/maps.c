/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the regions of a live process, and looking them up. */
#include "process/maps.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "process/pages.h"
#include "process/process.h"

#define PIECE 65536

/* The text of 65,000 regions has megabytes: take it in line by line instead of keeping it. */
static int add_text(struct pidmem_maps *maps, char *piece, size_t *held, size_t got)
{
	char *line = piece, *end = piece + *held + got, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		int result = maps_add_line(maps, line, (size_t)(newline - line));
		if (result < 0)
			return result;
		line = newline + 1;
	}
	*held = (size_t)(end - line);
	memmove(piece, line, *held);
	return *held < PIECE ? 0 : -EBADMSG; /* no line of the kernel's is longer than two pages */
}

static int read_text(struct pidmem_maps *maps, int fd)
{
	AUTO_FREE char *piece = malloc(PIECE);
	size_t held = 0;

	if (!piece)
		return -ENOMEM;
	for (;;) {
		ssize_t got = read(fd, piece + held, PIECE - held);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return held ? -EBADMSG : 0;
		int result = add_text(maps, piece, &held, (size_t)got);
		if (result < 0)
			return result;
	}
}

/* Count what a run of pages has in a region. */
static void count_pages(struct pidmem_region *region, uint64_t bytes, uint32_t flags)
{
	if (flags & PIDMEM_PAGE_PRESENT && !(flags & PIDMEM_PAGE_ZERO))
		region->resident += bytes;
	else if (flags & PIDMEM_PAGE_SWAPPED && !(flags & PIDMEM_PAGE_GUARD))
		region->swapped += bytes;
}

/* Both lists are in address order: go through them side by side. */
static int count_runs(struct pidmem_maps *maps, struct pidmem_pages *pages, struct pidmem_error *error)
{
	struct pidmem_page_run run = { 0 };
	size_t i = 0;
	int result;

	while ((result = pidmem_pages_next(pages, error, &run)) == 1) {
		uint64_t run_end = run.start + run.size;
		while (i < maps->count && maps->regions[i].start + maps->regions[i].size <= run.start)
			i++;
		for (size_t j = i; j < maps->count && maps->regions[j].start < run_end; j++) {
			struct pidmem_region *region = &maps->regions[j];
			uint64_t region_end = region->start + region->size;
			uint64_t from = run.start > region->start ? run.start : region->start;
			count_pages(region, (run_end < region_end ? run_end : region_end) - from, run.flags);
		}
	}
	return result;
}

/* 1 when done, 0 where the kernel cannot scan (before 6.7) and smaps has to tell. */
static int fill_residence(struct pidmem_maps *maps, struct pidmem_process *process, struct pidmem_error *error)
{
	AUTO_PAGES pages = NULL;
	int result = pidmem_pages_open(process, 0, UINT64_MAX, error, &pages);

	if (result < 0 || pages_cost_by_size(pages))
		return result;
	result = count_runs(maps, pages, error);
	return result < 0 ? result : 1;
}

static int maps_failed(struct pidmem_process *process, const char *name, const struct pidmem_maps *maps, int number,
		       struct pidmem_error *error)
{
	int gone;

	switch (-number) {
	case EBADMSG:
		return fail(error, PIDMEM_FORMAT, EBADMSG, "line %llu of /proc/%d/%s is not understood",
			    (unsigned long long)maps->line, process->pid, name);
	case ESRCH:
		gone = pidmem_process_check(process, error);
		return gone < 0 ? gone
				: fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) is ending", process->pid,
				       process->name);
	default:
		return fail_sys(error, -number, "/proc/%d/%s", process->pid, name);
	}
}

int pidmem_maps_read(struct pidmem_process *process, unsigned flags, struct pidmem_error *error,
		     struct pidmem_maps **out)
{
	const char *name = flags & PIDMEM_MAPS_USAGE ? "smaps" : "maps";
	AUTO_FD fd = process_open_memory_file(process, name, error);
	AUTO_MAPS maps = maps_new();

	if (fd < 0)
		return fd;
	if (!maps)
		return fail_memory(error);
	int result = read_text(maps, fd);
	if (result == 0 && maps->count == 0)
		result = -ESRCH;
	if (result < 0)
		return maps_failed(process, name, maps, result, error);
	maps_finish(maps);
	maps_settle_names(maps, process);
	if (flags & PIDMEM_MAPS_RESIDENCE && !(flags & PIDMEM_MAPS_USAGE)) {
		result = fill_residence(maps, process, error);
		if (result <= 0)
			return result < 0 ? result : pidmem_maps_read(process, PIDMEM_MAPS_USAGE, error, out);
	}
	*out = take(maps);
	return 0;
}

size_t pidmem_maps_count(const struct pidmem_maps *maps)
{
	return maps->count;
}

const struct pidmem_region *pidmem_maps_get(const struct pidmem_maps *maps, size_t index)
{
	return index < maps->count ? &maps->regions[index] : NULL;
}

const struct pidmem_region *pidmem_maps_find_next(const struct pidmem_maps *maps, uint64_t address)
{
	size_t low = 0, high = maps->count;

	while (low < high) { /* the first region whose last byte is at or above the address */
		size_t middle = low + (high - low) / 2;
		const struct pidmem_region *region = &maps->regions[middle];
		if (region->start + (region->size - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return pidmem_maps_get(maps, low);
}

const struct pidmem_region *pidmem_maps_find(const struct pidmem_maps *maps, uint64_t address)
{
	const struct pidmem_region *region = pidmem_maps_find_next(maps, address);

	return region && region->start <= address ? region : NULL;
}
