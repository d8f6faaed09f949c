/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/backing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/maps.h"
#include "process/process.h"

/* Shared memory whose name says so: made by the kernel, a regular file on its internal tmpfs. */
static bool is_shared_memory(const struct pidmem_region *region)
{
	return region->path[0] == '/' && !region_has_named_file(region);
}

static bool same(const struct backing *backing, const struct pidmem_region *region)
{
	return backing->path && backing->inode == region->inode && backing->dev_major == region->dev_major &&
	       backing->dev_minor == region->dev_minor && !strcmp(backing->path, region->path);
}

static void drop(struct backing *backing)
{
	if (backing->state == BACKING_OPEN)
		close(backing->fd);
	free(backing->path);
	*backing = (struct backing){ 0 };
}

static unsigned room(const struct backings *backings)
{
	return backings->many ? BACKINGS_MANY : BACKINGS;
}

static void drop_others(struct backings *backings, const struct backing *kept)
{
	for (unsigned i = 0; i < room(backings); i++)
		if (&backings->items[i] != kept)
			drop(&backings->items[i]);
}

void backings_close(struct backings *backings)
{
	drop_others(backings, NULL);
}

void backings_done(struct backings *backings)
{
	backings_close(backings);
	leases_done(&backings->leases);
}

static struct backing *find(struct backings *backings, const struct pidmem_region *region)
{
	for (unsigned i = 0; i < room(backings); i++)
		if (same(&backings->items[i], region))
			return &backings->items[i];
	return NULL;
}

static bool is_out_of_descriptors(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM;
}

static void open_into(struct backing *backing, struct backings *backings, const struct pidmem_process *process,
		      const struct pidmem_region *region)
{
	bool regular = is_shared_memory(region), gone;

	if (leases_forbid(&backings->leases, process, region)) {
		backing->state = BACKING_UNREACHABLE;
		backing->gone = 0;
		return;
	}
	errno = 0;
	backing->fd = backing_open(process, region, &regular, &gone);
	backing->error = backing->fd < 0 ? errno : 0;
	backing->gone = gone ? backing->gone + 1 : 0;
	if (backing->fd >= 0)
		backing->state = BACKING_OPEN;
	else if (is_out_of_descriptors(backing->error))
		backing->state = BACKING_FAILED;
	else
		backing->state = regular ? BACKING_UNREACHABLE : BACKING_UNKNOWN;
}

static void open_somehow(struct backing *backing, struct backings *backings, struct pidmem_process *process,
			 const struct pidmem_region *region)
{
	open_into(backing, backings, process, region);
	if (backing->state == BACKING_FAILED) { /* a low limit of descriptors: make do with one file at a time */
		drop_others(backings, backing);
		open_into(backing, backings, process, region);
	} else if (backing->state != BACKING_OPEN &&
		   process_find_memory(process)) { /* the first thread ended meanwhile */
		open_into(backing, backings, process, region);
	}
}

static struct backing *add(struct backings *backings, const struct pidmem_region *region)
{
	struct backing *backing = &backings->items[backings->next++ % room(backings)];

	drop(backing);
	*backing = (struct backing){ .inode = region->inode,
				     .dev_major = region->dev_major,
				     .dev_minor = region->dev_minor,
				     .path = strdup(region->path),
				     .state = BACKING_FAILED };
	return backing;
}

/* There are processes without such links: those whose first thread has ended. */
#define TRIES 4

/* Another mapping of it, or the same one a moment later, may be there where one was not (mprotect(2) cuts it in two).
 */
static bool may_open_now(const struct backing *backing)
{
	return backing->state == BACKING_FAILED ||
	       (backing->state != BACKING_OPEN && backing->gone && backing->gone < TRIES);
}

const struct backing *backing_of(struct backings *backings, struct pidmem_process *process,
				 const struct pidmem_region *region)
{
	struct backing *backing = find(backings, region);

	if (!backing)
		backing = add(backings, region);
	if (may_open_now(backing))
		open_somehow(backing, backings, process, region);
	if (backing->state == BACKING_OPEN)
		backing->size = backing_size_now(backing);
	return backing;
}
