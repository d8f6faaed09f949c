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

/* UINT64_MAX if it is enough for twice all memory there is, so that nobody has to be asked how much he has, or not
 * known. */
static uint64_t find_room(const char *directory)
{
	struct statvfs status;
	struct sysinfo info;

	if (statvfs(directory, &status) < 0 || !status.f_blocks) /* a tmpfs without a limit has none */
		return UINT64_MAX;
	/* Some blocks are for root alone. */
	uint64_t room = (uint64_t)status.f_frsize * (geteuid() == 0 ? status.f_bfree : status.f_bavail);
	if (sysinfo(&info) == 0 && room / info.mem_unit / 2 > (uint64_t)info.totalram + info.totalswap)
		return UINT64_MAX;
	return room;
}

/* What pre-copy does is done at once, and without compressing: with -z everything is written twice, which takes twice
 * as long or more. Who wants a short stop more than that says how long it may be. */
static const char *held_back(void)
{
	return writing.max_size                     ? "which --max-size does not limit"
	       : writing.rate                       ? "which --rate does not hold back"
	       : writing.nice                       ? "which --nice does not hold back"
	       : writing.zstd && !pausing_limited() ? "which with -z writes all of it twice"
						    : NULL;
}

int room_check(struct moment *moment, const char *directory, bool rules, struct pidmem_freeze_options *how)
{
	uint64_t limit = writing.max_size ? writing.max_size : UINT64_MAX;
	uint64_t room = directory ? find_room(directory) : UINT64_MAX, needed = 0;
	bool chosen = how->engine == PIDMEM_ENGINE_PRECOPY, fits = true;
	bool bounded = directory && (room != UINT64_MAX || writing.max_size);

	for (size_t i = 0; bounded && i < moment->named_count; i++) {
		uint64_t size = estimate(moment, moment->named[i], rules);

		fits = fits && size <= limit;
		needed += writing.partial && size > limit ? limit : size;
	}
	if (needed > room && !writing.zstd) {
		fail("there is no room for it in %s: it takes about %s, and %s are free", directory,
		     size_text(needed).text, size_text(room).text);
		hint("make room, name another place, leave out regions with -R, or compress it with -z");
		return EXIT_FAILED;
	}
	/* What pre-copy writes becomes the core file; for a dump, or with --max-size, it is there besides. */
	if ((!how->core || writing.max_size) && !writing.zstd)
		needed *= 2;
	if (directory && !chosen)
		moment->by_clone = needed > room ? "for which there is no room beside the output" : held_back();
	if (moment->by_clone)
		how->engine = PIDMEM_ENGINE_CLONE;
	how->directory = chosen || (fits && needed <= room) ? directory : NULL;
	return 0;
}
