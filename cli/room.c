/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"
#include "failure.h"
#include "pausing.h"
#include "ui/size.h"
#include "writing.h"

#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* Of files and shared memory most is left out of a core, by its rules. */
static bool counts(const struct pidmem_region *region, bool rules)
{
	return !rules || region->kind == PIDMEM_KIND_ANON || region->kind == PIDMEM_KIND_HEAP ||
	       region->kind == PIDMEM_KIND_STACK;
}

/* What it has in memory and in swap; 0 if that cannot be found out. */
static uint64_t estimate(const struct moment *moment, struct pidmem_process *process, bool rules)
{
	const struct pidmem_region *region;
	struct pidmem_maps *maps;
	uint64_t sum = 0;

	if (pidmem_maps_read(process, PIDMEM_MAPS_RESIDENCE, NULL, &maps) < 0)
		return 0;
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++)
		if (counts(region, rules) &&
		    pidmem_select_test(moment->invocation->select, region, region->start, NULL))
			sum += region->resident + region->swapped;
	pidmem_maps_free(maps);
	return sum;
}

static bool find_room(const char *directory, uint64_t *room)
{
	struct statvfs status;

	if (statvfs(directory, &status) < 0 || !status.f_blocks) /* a tmpfs without a limit has none */
		return false;
	/* Some blocks are for root alone. */
	*room = (uint64_t)status.f_frsize * (geteuid() == 0 ? status.f_bfree : status.f_bavail);
	return true;
}

/* More than all memory there is? Then nobody has to be asked how much he has. */
static bool is_enough_for_all(uint64_t room)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 && room / info.mem_unit > (uint64_t)info.totalram + info.totalswap;
}

#define BY_CLONE(why) "not copied while it ran, " why "; a copy by clone was made"

/* What pre-copy does is done at once, and without compressing: with -z everything is written twice, which takes twice
 * as long or more. Who wants a short stop more than that says how long it may be. */
static const char *held_back(void)
{
	return writing.max_size                     ? BY_CLONE("which --max-size does not limit")
	       : writing.rate                       ? BY_CLONE("which --rate does not hold back")
	       : writing.nice                       ? BY_CLONE("which --nice does not hold back")
	       : writing.zstd && !pausing_limited() ? BY_CLONE("which with -z writes all of it twice")
						    : NULL;
}

int room_check(struct moment *moment, const char *directory, bool rules)
{
	bool any = directory && !pausing_engine_given();
	uint64_t room, needed = 0;

	moment->by_clone = any ? held_back() : NULL;
	if (!directory || !find_room(directory, &room) || is_enough_for_all(room))
		return 0;
	for (size_t i = 0; i < moment->named_count; i++) {
		uint64_t size = estimate(moment, moment->named[i], rules);

		needed += writing.partial && writing.max_size && writing.max_size < size ? writing.max_size : size;
	}
	if (needed > room && any)
		moment->by_clone = BY_CLONE("for which there is no room beside the output");
	if (needed <= room || writing.zstd)
		return 0;
	fail("there is no room for it in %s: it takes about %s, and %s are free", directory, size_text(needed).text,
	     size_text(room).text);
	hint("make room, name another place, leave out regions with -R, or compress it with -z");
	return EXIT_FAILED;
}
