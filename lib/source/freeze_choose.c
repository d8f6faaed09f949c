/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a copy will not hold, and is to be saved while the target stands still:
 *   MADV_DONTFORK    not in the copy at all
 *   MADV_WIPEONFORK  in the copy, but empty
 *   shared memory    goes on changing
 * Everything that can be done before the pause is: the pause is short because it only reads.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "process/coredump.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/freeze.h"
#include "source/walk.h"

#define SHARED_LIMIT (4ULL << 20)
#define DEVICE (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP)
#define NOT_COPIED (PIDMEM_VM_DONTCOPY | PIDMEM_VM_WIPEONFORK)

/* How much of a region is selected. */
static uint64_t selected_bytes(const struct pidmem_select *select, const struct pidmem_region *region)
{
	uint64_t sum = 0, run;

	for (uint64_t at = 0; at < region->size; at += run)
		if (pidmem_select_test(select, region, region->start + at, &run))
			sum += run;
	return sum;
}

uint64_t pause_wants(const struct frozen *frozen, const struct pidmem_region *region)
{
	const struct pidmem_freeze_options *options = &frozen->freeze->options;
	struct coredump_facts facts;

	if (region->kind == PIDMEM_KIND_VDSO || (region->usage && region->usage->flags & DEVICE))
		return 0;
	if (options->core) {
		coredump_gather(frozen->process, region, region->usage, &facts);
		/* It may be written to for the first time until the pause. */
		facts.written |= region->usage && region->usage->flags & NOT_COPIED;
		if (coredump_rule(&facts, frozen->filter) == COREDUMP_NOTHING)
			return 0;
	}
	return selected_bytes(options->select, region);
}

static int get_filter(struct frozen *frozen, struct pidmem_error *error)
{
	const struct pidmem_freeze_options *options = &frozen->freeze->options;

	frozen->filter = options->filter & ~PIDMEM_CORE_FILTER;
	return options->core && !(options->filter & PIDMEM_CORE_FILTER)
		       ? coredump_filter_read(frozen->process, error, &frozen->filter)
		       : 0;
}

int pause_add_candidate(struct frozen *frozen, const struct pidmem_region *region, uint64_t bytes, bool dont_copy)
{
	struct candidate *grown =
		array_grow(frozen->candidates, frozen->candidate_count, &frozen->candidate_capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	frozen->candidates = grown;
	grown[frozen->candidate_count++] =
		(struct candidate){ .region = region, .bytes = bytes, .dont_copy = dont_copy };
	return 0;
}

static bool is_shared(const struct candidate *candidate)
{
	return candidate->region->kind == PIDMEM_KIND_SHARED && !candidate->dont_copy;
}

/* What is saved in any case first, then shared memory by its size. */
static int by_size(const void *one, const void *other)
{
	const struct candidate *left = one, *right = other;

	if (is_shared(left) != is_shared(right))
		return is_shared(left) - is_shared(right);
	return (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

static int by_address(const void *one, const void *other)
{
	const struct candidate *left = one, *right = other;

	return (left->region->start > right->region->start) - (left->region->start < right->region->start);
}

void pause_cut_shared(struct frozen *frozen)
{
	const struct pidmem_freeze_options *options = &frozen->freeze->options;
	uint64_t left = options->shared_limit ? options->shared_limit : SHARED_LIMIT;
	size_t count = 0;

	if (frozen->candidate_count == 0)
		return;
	if (options->shared == PIDMEM_SHARED_PAUSED)
		left = UINT64_MAX;
	else if (options->shared == PIDMEM_SHARED_AFTER)
		left = 0;
	qsort(frozen->candidates, frozen->candidate_count, sizeof *frozen->candidates, by_size);
	for (; count < frozen->candidate_count; count++) {
		const struct candidate *candidate = &frozen->candidates[count];
		if (is_shared(candidate) && candidate->bytes > left)
			break;
		left -= is_shared(candidate) ? candidate->bytes : 0;
	}
	frozen->candidate_count = count;
	qsort(frozen->candidates, count, sizeof *frozen->candidates, by_address);
}

/* How much of a region is to be saved. Of what is copied while it runs, that is what is not tracked. */
static uint64_t bytes_to_save(const struct frozen *frozen, const struct pidmem_region *region)
{
	uint32_t flags = region->usage ? region->usage->flags : 0;

	if (frozen->precopy && process_vdso_is_own(region))
		return region->size;
	if (region->kind != PIDMEM_KIND_SHARED && (frozen->precopy || !(flags & NOT_COPIED)))
		return 0;
	return pause_wants(frozen, region);
}

static int choose(struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;

	frozen->candidate_count = 0;
	frozen->dont_copy_pages = 0;
	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		uint32_t flags = region->usage ? region->usage->flags : 0;
		bool dont_copy = flags & PIDMEM_VM_DONTCOPY;
		if (dont_copy)
			frozen->dont_copy_pages += region->size / (uint64_t)sysconf(_SC_PAGESIZE);
		uint64_t bytes = bytes_to_save(frozen, region);
		if (bytes && pause_add_candidate(frozen, region, bytes, dont_copy) < 0)
			return -ENOMEM;
	}
	pause_cut_shared(frozen);
	return 0;
}

/* Ask what will be asked in the pause, so that what that takes is open: as many of the files behind as are kept open.
 */
static void warm_up(struct frozen *frozen)
{
	uint64_t size = 1;

	for (size_t i = 0; i < frozen->candidate_count; i++)
		source_absent(frozen->live, frozen->candidates[i].region);
	source_still_maps(frozen->live, frozen->candidates[0].region, frozen->candidates[0].region->start, &size);
	source_is_uffd_missing(frozen->live, frozen->candidates[0].region);
}

int pause_open_saver(struct frozen *frozen, struct pidmem_error *error)
{
	return frozen->saver ? 0 : pidmem_walk_open(frozen->live, 0, UINT64_MAX, WALK_TELL_OWN, error, &frozen->saver);
}

/* Room for what will be read, and a walk that is open already. Pages of both are touched here, not in the pause. */
static int get_room(struct frozen *frozen, struct pidmem_error *error)
{
	uint64_t sum = 0, largest = 0;

	if (frozen->candidate_count == 0)
		return 0;
	for (size_t i = 0; i < frozen->candidate_count; i++) {
		const struct candidate *candidate = &frozen->candidates[i];
		uint64_t resident = candidate->region->resident + candidate->region->swapped;
		/* Of shared memory more may exist than this process has seen. */
		uint64_t size = is_shared(candidate) || resident > candidate->bytes ? candidate->bytes : resident;
		sum += size;
		largest = size > largest ? size : largest;
	}
	if (kept_reserve(&frozen->kept, sum, 4 * frozen->candidate_count) < 0)
		return fail_memory(error);
	int result = pause_open_saver(frozen, error);
	if (result < 0)
		return result;
	struct pidmem_walk *saver = frozen->saver;
	memset(saver->buffer, 0, largest < saver->buffer_size ? (size_t)largest : saver->buffer_size);
	warm_up(frozen);
	return 0;
}

int pause_prepare(struct frozen *frozen, struct pidmem_error *error)
{
	struct pidmem_maps *maps;
	int result = pidmem_maps_read(frozen->process, PIDMEM_MAPS_USAGE, error, &maps);

	if (result < 0)
		return result;
	pidmem_walk_close(take(frozen->saver));
	kept_done(&frozen->kept);
	source_take_maps(frozen->live, maps);
	frozen->may_register = process_may_have_userfaultfd(frozen->process);
	result = get_filter(frozen, error);
	if (result < 0)
		return result;
	return choose(frozen) < 0 ? fail_memory(error) : get_room(frozen, error);
}
