/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ladder.h"
#include "ui/colour.h"
#include "ui/output.h"
#include "ui/size.h"
#include "ui/strip.h"
#include "ui/terminal.h"
#include "ui/text.h"

#include <inttypes.h>
#include <string.h>

#define MOST_RUNGS 24
/* What a line has beside strip and name. */
#define WIDTH 28

/* Regions from `first` to `last`; `whole` is what they cover, and has the name of the largest. */
struct rung {
	size_t first, last;
	struct pidmem_region whole;
	uint64_t largest;
};

struct rungs {
	struct rung rungs[MOST_RUNGS];
	size_t count;
};

void ladder_gap(uint64_t gap)
{
	if (gap >= LADDER_GAP)
		output_format("%s%s %s free%s\n", colour_stdout(COLOUR_FAINT), terminal_has_blocks() ? "⋮" : ":",
			      size_text(gap).text, colour_stdout(COLOUR_END));
}

uint64_t ladder_between(const struct pidmem_region *below, const struct pidmem_region *above)
{
	return above->start - (below->start + below->size);
}

static bool same_path(const struct pidmem_region *one, const struct pidmem_region *other)
{
	return one->path_size == other->path_size && !memcmp(one->path, other->path, one->path_size);
}

static void extend(struct rung *rung, size_t index, const struct pidmem_region *region)
{
	rung->last = index;
	rung->whole.size = region->start + region->size - rung->whole.start;
	rung->whole.resident += region->resident;
	rung->whole.swapped += region->swapped;
	if (region->size <= rung->largest)
		return;
	rung->largest = region->size;
	rung->whole.path = region->path;
	rung->whole.path_size = region->path_size;
	rung->whole.kind = region->kind;
}

/* What lies no further apart is one rung: of the same file, or `any`. False if they are too many. */
static bool climb(struct rungs *rungs, const struct pidmem_maps *maps, uint64_t gap, bool any)
{
	const struct pidmem_region *region, *last = NULL;

	rungs->count = 0;
	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++) {
		if (last && region->start - (last->start + last->size) <= gap && (any || same_path(region, last))) {
			extend(&rungs->rungs[rungs->count - 1], i, region);
		} else {
			if (rungs->count == MOST_RUNGS)
				return false;
			rungs->rungs[rungs->count++] =
				(struct rung){ .first = i, .last = i, .whole = *region, .largest = region->size };
		}
		last = region;
	}
	return true;
}

static void put_name(const struct rung *rung, size_t room)
{
	const struct pidmem_region *region = &rung->whole;
	const char *slash = memrchr(region->path, '/', region->path_size);
	size_t skip = slash && slash[1] ? (size_t)(slash + 1 - region->path) : 0;

	if (region->path_size)
		output_end(region->path + skip, region->path_size - skip, room);
	else
		output_text(pidmem_kind_name(region->kind));
	if (rung->last > rung->first)
		output_format(" %s(%zu)%s", colour_stdout(COLOUR_FAINT), rung->last - rung->first + 1,
			      colour_stdout(COLOUR_END));
}

void ladder_print(const struct pidmem_maps *maps, struct pidmem_process *process)
{
	unsigned width = terminal_width(), strip = !width || width > WIDTH + 32 + 24 ? 32
						   : width > WIDTH + 8 + 20          ? width - WIDTH - 24
										     : 8;
	struct rungs rungs;
	/* With the number of regions behind it. */
	size_t taken = WIDTH + 10 + (process ? strip + 2 : 0), room = width > taken + 8 ? width - taken : 8;
	uint64_t gap = 0;

	room = width ? room : 60;
	for (bool fits = climb(&rungs, maps, 0, false); !fits && gap <= INT64_MAX; gap = gap ? gap * 2 : 4096)
		fits = climb(&rungs, maps, gap, true);
	strip_of(process, strip);
	for (size_t i = rungs.count; i-- > 0 && !output_failed();) {
		const struct rung *rung = &rungs.rungs[i];

		output_format("%16" PRIx64 " %9s  ", rung->whole.start, size_text(rung->whole.size).text);
		if (process) {
			strip_write(&rung->whole);
			output_text("  ");
		}
		put_name(rung, room);
		output_char('\n');
		if (i)
			ladder_gap(ladder_between(&rungs.rungs[i - 1].whole, &rung->whole));
	}
	if (process)
		strip_legend();
}
