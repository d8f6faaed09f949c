/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long each engine is going to stop a process, and which one it is to be. */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* So many microseconds each GiB takes: a copy of page tables, of 4 KiB pages, is made, or they are looked through. */
#define CLONE_US 11000.0
#define LISTING_US 700.0
/* Stopping, and letting go. */
#define STOP_US 200

/* By constants and not by the clock, which tells more of other programs. Huge pages cost next to nothing. */
static uint64_t page_tables_us(const struct frozen *frozen, double each)
{
	const struct pidmem_maps *maps = frozen->live->maps;
	uint64_t bytes = 0, saved = 0;

	for (size_t i = 0; i < maps->count; i++)
		if (maps->regions[i].usage)
			bytes += maps->regions[i].usage->anonymous - maps->regions[i].usage->anon_huge;
	for (size_t i = 0; i < frozen->candidate_count; i++) /* what is saved by either engine, at 1 GiB/s */
		saved += frozen->candidates[i].bytes;
	return STOP_US + saved / 1000 + (uint64_t)((double)bytes * each / (1 << 30));
}

static uint64_t precopy_us(const struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;
	uint64_t foreign = 0; /* what cannot be tracked, at 1 GiB/s as well */

	for (size_t i = 0; i < maps->count; i++)
		if (precopy_is_foreign(frozen->precopy, &maps->regions[i]))
			foreign += maps->regions[i].resident;
	return page_tables_us(frozen, LISTING_US) + precopy_left_us(frozen->precopy) + foreign / 1000;
}

/* A stop as short as this needs not be made shorter. */
#define SHORT_US 2000

/* Which engine stops it for the shorter time, and how long? False if none can. */
static bool choose_engine(struct frozen *frozen, uint64_t *pause_us)
{
	bool given = frozen->freeze->options.engine == PIDMEM_ENGINE_PRECOPY;
	uint64_t clone_us = page_tables_us(frozen, CLONE_US);

	*pause_us = frozen->precopy ? precopy_us(frozen) : clone_us;
	if (!frozen->precopy)
		return !frozen->no_copy[0];
	/* A copy slows the process down afterwards as well: by a page fault for each page that it writes to. */
	if (!frozen->no_copy[0] && !given && *pause_us > 2 * clone_us && *pause_us > SHORT_US) {
		freeze_no_precopy(frozen, "it writes faster than it can be copied");
		frozen->tried_precopy = false; /* still better than no copy */
		*pause_us = clone_us;
	}
	return true;
}

static int fail_pause(const struct pidmem_freeze *freeze, uint64_t limit, uint64_t reached, struct pidmem_error *error)
{
	const struct pidmem_process *first = freeze->items[0]->process;
	char others[40] = "";

	if (freeze->count > 1)
		snprintf(others, sizeof others, " and %zu more", freeze->count - 1);
	return with_hint(error,
			 fail(error, PIDMEM_UNSUPPORTED, ETIMEDOUT,
			      "process %d (%s)%s: a pause of %.3g ms cannot be kept: %.3g ms can be reached",
			      first->pid, first->name, others, (double)limit / 1000, (double)reached / 1000),
			 "allow a longer pause");
}

int freeze_choose_engines(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	uint64_t limit = freeze->options.max_pause_us, sum = 0, pause;

	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->items[i]->consistency == PIDMEM_SNAPSHOT && choose_engine(freeze->items[i], &pause))
			sum += pause;
	if (!limit || sum <= limit)
		return 0;
	return fail_pause(freeze, limit, sum, error);
}
