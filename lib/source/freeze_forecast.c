/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long each engine is going to stop a process, and which one it is to be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* So many microseconds each GiB takes: a copy of page tables, of 4 KiB pages, is made, or they are looked through. */
#define CLONE_US 14000.0
#define LISTING_US 700.0
#define SHORT_LISTING_US 350.0
/* To stop, and to let go: for all together, and more for each process and thread. */
#define STOP_US 200
#define PROCESS_US 100
#define THREAD_US 25
/* To make a copy, whatever its size. */
#define COPY_US 300
/* Each mapping, to list or to copy it; the name of one takes longest. */
#define MAPPING_US 1
#define NAMED_US 3

/* What is saved by either engine, at 1 GiB/s. Of shared memory more may exist than this process has seen. */
static uint64_t saved_us(const struct frozen *frozen)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < frozen->candidate_count; i++) {
		const struct candidate *candidate = &frozen->candidates[i];
		uint64_t seen = candidate->region->resident + candidate->region->swapped;
		seen = seen < candidate->bytes ? seen : candidate->bytes;
		bytes += seen + (candidate->bytes - seen) / 4;
	}
	return bytes / 1000;
}

/* By constants and not by the clock, which tells more of other programs. Huge pages cost next to nothing. */
static uint64_t page_tables_us(const struct frozen *frozen, double each)
{
	const struct pidmem_maps *maps = frozen->live->maps;
	uint64_t bytes = 0, mappings = 0;

	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		mappings += region->path_size ? NAMED_US : MAPPING_US;
		if (region->usage)
			bytes += region->usage->anonymous - region->usage->anon_huge;
	}
	return mappings + saved_us(frozen) + (uint64_t)((double)bytes * each / (1 << 30));
}

/* What cannot be tracked, all of which is copied in the stop; of files, what was written to. */
static uint64_t foreign_bytes(const struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;
	uint64_t bytes = 0;

	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		if (precopy_is_foreign(frozen->precopy, region) && precopy_is_private(region) &&
		    precopy_wants_some(frozen->precopy, region))
			bytes += precopy_bytes_in(region) + (region->usage ? region->usage->private_hugetlb : 0);
	}
	return bytes;
}

static uint64_t precopy_us(const struct frozen *frozen)
{
	const struct precopy *precopy = frozen->precopy;
	double each = precopy->tracker.tells_holes ? SHORT_LISTING_US : LISTING_US;

	return page_tables_us(frozen, each) + precopy_left_us(precopy) + foreign_bytes(frozen) / 1000;
}

/* What a copy does not hold is among the candidates unless pre-copy was meant to copy it. */
static uint64_t clone_us(const struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;
	uint64_t lacking = 0;

	for (size_t i = 0; frozen->precopy && i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		uint32_t flags = region->usage ? region->usage->flags : 0;
		if (flags & (PIDMEM_VM_DONTCOPY | PIDMEM_VM_WIPEONFORK) && precopy_is_private(region) &&
		    precopy_wants_some(frozen->precopy, region))
			lacking += region->resident;
	}
	return COPY_US + page_tables_us(frozen, CLONE_US) + lacking / 1000;
}

static uint64_t chosen_us(const struct frozen *frozen)
{
	return frozen->precopy ? precopy_us(frozen) : clone_us(frozen);
}

/* Is the choice between two engines ours? */
static bool has_choice(const struct frozen *frozen)
{
	return frozen->precopy && !frozen->no_copy[0] && frozen->freeze->options.engine != PIDMEM_ENGINE_PRECOPY;
}

static void choose_clone(struct frozen *frozen, const char *reason)
{
	freeze_no_precopy(frozen, reason);
	frozen->tried_precopy = false; /* still better than no copy */
}

/* A stop as short as this needs not be made shorter. */
#define SHORT_US 2000

static uint64_t stopping_us(const struct frozen *frozen)
{
	return PROCESS_US + THREAD_US * frozen->status.threads;
}

/* A copy slows the process down afterwards as well: by a page fault for each page that it writes to. */
static void choose_engine(struct frozen *frozen)
{
	uint64_t stop_us = STOP_US + stopping_us(frozen), pause_us = stop_us + chosen_us(frozen);

	if (has_choice(frozen) && pause_us > SHORT_US && pause_us > 2 * (stop_us + clone_us(frozen)))
		choose_clone(frozen, "it writes faster than it can be copied");
}

/* The next one that is to be copied, and can be as far as is known. */
static struct frozen *next(const struct pidmem_freeze *freeze, size_t *i)
{
	while (*i < freeze->count) {
		struct frozen *frozen = freeze->items[(*i)++];
		if (frozen->consistency == PIDMEM_SNAPSHOT && (frozen->precopy || !frozen->no_copy[0]))
			return frozen;
	}
	return NULL;
}

/* So much of all processes together may be copied in the stop, which memory is needed for until they run on. */
#define MOST_LATE (64ULL << 20)

/* If no copy can be made either, the process is going to be stopped, for both reasons. */
static void give_up(struct frozen *frozen)
{
	static const char reason[] = "more than 64 MiB would have to be copied in the stop";
	size_t length = strlen(frozen->no_copy);

	if (length)
		snprintf(frozen->no_copy + length, sizeof frozen->no_copy - length, ", and %s", reason);
	freeze_no_precopy(frozen, reason);
}

void freeze_bound_late(struct pidmem_freeze *freeze)
{
	uint64_t left = freeze->options.engine == PIDMEM_ENGINE_PRECOPY ? UINT64_MAX : MOST_LATE;
	struct frozen *frozen;

	for (size_t i = 0; (frozen = next(freeze, &i));) {
		uint64_t late = frozen->precopy ? frozen->precopy->copied + foreign_bytes(frozen) : 0;
		if (late > left)
			give_up(frozen);
		else
			left -= late;
	}
}

bool freeze_copies_too_much(const struct pidmem_freeze *freeze)
{
	const struct frozen *frozen;
	uint64_t late = 0;

	for (size_t i = 0; (frozen = next(freeze, &i));)
		late += frozen->precopy ? frozen->precopy->late.used : 0;
	return freeze->options.engine != PIDMEM_ENGINE_PRECOPY && late > MOST_LATE;
}

/* One stop that took so many times as long as usual tells of bad luck. */
#define LUCK 4

/* They are stopped together. Where they have been, to begin tracking, that tells how long it takes here and now, even
 * if less is done in it. */
static uint64_t stop_us(const struct pidmem_freeze *freeze)
{
	const struct frozen *frozen;
	uint64_t usual = STOP_US, last = 0;

	for (size_t i = 0; (frozen = next(freeze, &i));) {
		usual += stopping_us(frozen);
		if (frozen->stop_count)
			last = frozen->stops_us[frozen->stop_count - 1];
	}
	last += last / 4;
	return last == 0 ? usual : last < LUCK * usual ? last : LUCK * usual;
}

/* With `shortest`, each by the engine that takes less time. */
static uint64_t sum_us(const struct pidmem_freeze *freeze, bool shortest)
{
	const struct frozen *frozen;
	uint64_t sum = stop_us(freeze);

	for (size_t i = 0; (frozen = next(freeze, &i));) {
		uint64_t chosen = chosen_us(frozen), other = has_choice(frozen) ? clone_us(frozen) : chosen;
		sum += shortest && other < chosen ? other : chosen;
	}
	return sum;
}

static void choose_shortest(struct pidmem_freeze *freeze)
{
	struct frozen *frozen;

	for (size_t i = 0; (frozen = next(freeze, &i));)
		if (has_choice(frozen) && clone_us(frozen) < chosen_us(frozen))
			choose_clone(frozen, "the stop would be longer than allowed");
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
	uint64_t limit = freeze->options.max_pause_us, shortest;
	struct frozen *frozen;

	for (size_t i = 0; (frozen = next(freeze, &i));)
		choose_engine(frozen);
	if (!limit || sum_us(freeze, false) <= limit)
		return 0;
	shortest = sum_us(freeze, true);
	if (shortest > limit)
		return fail_pause(freeze, limit, shortest, error);
	choose_shortest(freeze);
	return 0;
}
