/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the regions of a live process, and looking them up. */
#include "process/maps.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/range.h"
#include "process/process.h"
#include "process/residence.h"

#define PIECE 65536
/* From this number of regions on, a thread more costs less than it saves. */
#define MANY 4096
/* So often in a row the thread through which the list is read may end. */
#define TRIES 100

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

static int read_text(struct pidmem_maps *maps, int fd, struct residence *residence)
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
		if (residence && maps->count > MANY)
			residence_begin(residence);
	}
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

/* -EAGAIN: the thread ended, but another one shows the memory. */
static int read_once(struct pidmem_process *process, const char *name, struct residence *residence,
		     struct pidmem_error *error, struct pidmem_maps **out)
{
	AUTO_FD fd = process_open_memory_file(process, name, error);
	AUTO_MAPS maps = maps_new();

	if (!maps)
		return fail_memory(error);
	int result = fd < 0 ? fd : read_text(maps, fd, residence);
	if (result == 0 && maps->count == 0)
		result = -ESRCH;
	if (result == -ESRCH && process_find_memory(process))
		return -EAGAIN;
	if (result < 0)
		return fd < 0 ? fd : maps_failed(process, name, maps, result, error);
	*out = take(maps);
	return 0;
}

static int read_maps(struct pidmem_process *process, const char *name, struct residence *residence,
		     struct pidmem_error *error, struct pidmem_maps **out)
{
	AUTO_MAPS maps = NULL;
	int result = -EAGAIN;

	for (unsigned i = 0; result == -EAGAIN && i < TRIES; i++)
		result = read_once(process, name, residence, error, &maps);
	if (result == -EAGAIN)
		return fail(error, PIDMEM_SYSTEM, EAGAIN,
			    "process %d (%s): its threads end faster than they can be read", process->pid,
			    process->name);
	if (result < 0)
		return result;
	maps_finish(maps);
	if (residence && (result = residence_fill(residence, maps, error)) < 0)
		return result;
	maps_settle_names(maps, process);
	*out = take(maps);
	return 0;
}

int pidmem_maps_read(struct pidmem_process *process, unsigned flags, struct pidmem_error *error,
		     struct pidmem_maps **out)
{
	CLEANUP(cleanup_residence) struct residence *residence = NULL;
	bool usage = flags & PIDMEM_MAPS_USAGE;

	if (flags & PIDMEM_MAPS_RESIDENCE && !usage) {
		int result = residence_open(process, error, &residence);
		if (result < 0)
			return result;
		usage = !residence; /* without PAGEMAP_SCAN smaps tells, at its price */
	}
	return read_maps(process, usage ? "smaps" : "maps", residence, error, out);
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
	return pidmem_maps_get(maps, range_find_next(maps->regions, maps->count, sizeof *maps->regions, address));
}

const struct pidmem_region *pidmem_maps_find(const struct pidmem_maps *maps, uint64_t address)
{
	const struct pidmem_region *region = pidmem_maps_find_next(maps, address);

	return region && region->start <= address ? region : NULL;
}
