/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a copy does not hold, and saving it while the target stands still:
 *   MADV_DONTFORK    not in the copy at all. The kernel subtracts these regions from the copy's total (dup_mmap() in
 *                    kernel/fork.c), so that two numbers of statm tell how much is missing
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

/* How much of a region is selected. */
static uint64_t selected_bytes(const struct pidmem_select *select, const struct pidmem_region *region)
{
	uint64_t sum = 0, run;

	for (uint64_t at = 0; at < region->size; at += run)
		if (pidmem_select_test(select, region, region->start + at, &run))
			sum += run;
	return sum;
}

/* Will anybody ask for it? */
static uint64_t wanted_bytes(const struct frozen *frozen, const struct pidmem_region *region)
{
	const struct pidmem_freeze_options *options = &frozen->freeze->options;
	struct coredump_facts facts;

	if (region->kind == PIDMEM_KIND_VDSO || (region->usage && region->usage->flags & DEVICE))
		return 0;
	if (options->core) {
		coredump_gather(frozen->process, region, region->usage, &facts);
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

static int add_candidate(struct frozen *frozen, const struct pidmem_region *region, uint64_t bytes, bool dont_copy)
{
	struct candidate *grown =
		array_grow(frozen->candidates, frozen->candidate_count, &frozen->candidate_capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	frozen->candidates = grown;
	grown[frozen->candidate_count++] = (struct candidate){ region, bytes, dont_copy };
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

/* Leave the shared memory to later that is too much for the pause. */
static void cut_shared(struct frozen *frozen)
{
	const struct pidmem_freeze_options *options = &frozen->freeze->options;
	uint64_t left = options->shared_limit ? options->shared_limit : SHARED_LIMIT;
	size_t count = 0;

	if (options->shared == PIDMEM_SHARED_PAUSED || frozen->candidate_count == 0)
		return;
	if (options->shared == PIDMEM_SHARED_AFTER)
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
		if (!dont_copy && !(flags & PIDMEM_VM_WIPEONFORK) && region->kind != PIDMEM_KIND_SHARED)
			continue;
		uint64_t bytes = wanted_bytes(frozen, region);
		if (bytes && add_candidate(frozen, region, bytes, dont_copy) < 0)
			return -ENOMEM;
	}
	cut_shared(frozen);
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

/* Room for what will be read, and a walk that is open already. Pages of both are touched here, not in the pause. */
static int get_room(struct frozen *frozen, struct pidmem_error *error)
{
	uint64_t sum = 0, largest = 0;
	struct pidmem_walk *saver;

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
	int result = pidmem_walk_open(frozen->live, 0, UINT64_MAX, 0, error, &saver);
	if (result < 0)
		return result;
	frozen->saver = saver;
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
	result = get_filter(frozen, error);
	if (result < 0)
		return result;
	return choose(frozen) < 0 ? fail_memory(error) : get_room(frozen, error);
}

/* Do the regions that a copy lacks still lie where they lay when they were listed? */
static bool still_map(struct frozen *frozen)
{
	for (size_t i = 0; i < frozen->candidate_count; i++) {
		const struct pidmem_region *region = frozen->candidates[i].region;
		uint64_t size = region->size;
		if (frozen->candidates[i].dont_copy &&
		    (!source_still_maps(frozen->live, region, region->start, &size) || size != region->size))
			return false;
	}
	return true;
}

/* Is nothing of the region in the copy? Where the kernel cannot tell (before Linux 6.11), it is not known. */
static bool is_lacking(const struct frozen *frozen, const struct pidmem_region *region)
{
	uint64_t size = region->size;

	return process_still_maps(frozen->copy_process, region, region->start, &size) == 0 && size == region->size;
}

/* Does the copy lack exactly the regions that were listed? As many pages, and none of those is there: then yes. */
static bool lacks_the_listed(struct frozen *frozen, uint64_t lacking)
{
	const struct pidmem_maps *maps = frozen->live->maps;

	if (lacking != frozen->dont_copy_pages || !still_map(frozen))
		return false;
	if (lacking == 0)
		return true;
	if (process_open_copy(frozen->process, frozen->copy, NULL, &frozen->copy_process) < 0)
		return true; /* it has ended: pause_finish() tells */
	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		if (region->usage && region->usage->flags & PIDMEM_VM_DONTCOPY && !is_lacking(frozen, region))
			return false;
	}
	return true;
}

static int save(struct frozen *frozen, const struct candidate *candidate, struct pidmem_error *error)
{
	struct pidmem_span span;
	int result;

	walk_seek(frozen->saver, candidate->region->start, candidate->region->size);
	while ((result = pidmem_walk_next(frozen->saver, error, &span)) == 1)
		if (kept_add(&frozen->kept, &span) < 0)
			return fail_memory(error);
	return result;
}

int pause_save(struct frozen *frozen, struct pidmem_error *error)
{
	uint64_t pages, copied;
	int result = process_mapped_pages(frozen->process, 0, &pages);

	if (result < 0)
		return fail_sys(error, -result, "cannot read how much memory process %d has", frozen->process->pid);
	if (process_mapped_pages(frozen->process, frozen->copy, &copied) < 0)
		return process_copy_gone(frozen->process, error);
	/* Else its regions were told what to do in fork(2) after they were listed: a longer pause, but none is missing.
	 */
	if (!lacks_the_listed(frozen, pages - copied) && (result = pause_prepare(frozen, error)) < 0)
		return result;
	for (size_t i = 0; i < frozen->candidate_count && result == 0; i++)
		result = save(frozen, &frozen->candidates[i], error);
	return result;
}

/* Append those regions of the target, from `next` on and below `end`, that the copy lacks. */
static int join_missing(struct pidmem_maps *joined, const struct pidmem_maps *copy, const struct pidmem_maps *target,
			size_t *next, uint64_t end)
{
	for (; *next < target->count && target->regions[*next].start < end; (*next)++) {
		const struct pidmem_region *region = &target->regions[*next];
		const struct pidmem_region *above = pidmem_maps_find_next(copy, region->start);
		if (region->usage && region->usage->flags & PIDMEM_VM_DONTCOPY &&
		    (!above || (above->start > region->start && above->start - region->start >= region->size)) &&
		    maps_add_copy(joined, region) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The regions of the copy, and those that it lacks. WIPEONFORK ones with the figures they have in the target. */
static struct pidmem_maps *join(const struct pidmem_maps *copy, const struct pidmem_maps *target)
{
	AUTO_MAPS joined = maps_new();
	size_t next = 0;

	for (size_t i = 0; joined && i < copy->count; i++) {
		struct pidmem_region region = copy->regions[i];
		const struct pidmem_region *same = pidmem_maps_find(target, region.start);
		if (same && same->start == region.start && region.usage && region.usage->flags & PIDMEM_VM_WIPEONFORK)
			region.usage = same->usage;
		if (join_missing(joined, copy, target, &next, region.start) < 0 || maps_add_copy(joined, &region) < 0)
			return NULL;
	}
	if (!joined || join_missing(joined, copy, target, &next, UINT64_MAX) < 0)
		return NULL;
	maps_finish(joined);
	return take(joined);
}

/* Is there anything to join? With 65,000 regions one list takes 10 MiB. */
static bool is_whole(const struct frozen *frozen, const struct pidmem_maps *copy)
{
	for (size_t i = 0; i < copy->count; i++)
		if (copy->regions[i].usage && copy->regions[i].usage->flags & PIDMEM_VM_WIPEONFORK)
			return false;
	return frozen->dont_copy_pages == 0;
}

/* What was saved in time of the shared memory that is wanted. */
static void count_shared(struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->source->maps;

	frozen->shared_paused = frozen->shared_after = 0;
	for (size_t i = 0; i < maps->count; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		uint64_t bytes = region->kind == PIDMEM_KIND_SHARED ? wanted_bytes(frozen, region) : 0;
		uint64_t size = region->size;
		const struct pidmem_span *kept = bytes ? kept_find_next(&frozen->kept, region->start) : NULL;
		if (kept && kept->start <= region->start &&
		    region_still_maps(region, kept->region, region->start, &size))
			frozen->shared_paused += bytes;
		else
			frozen->shared_after += bytes;
	}
}

int pause_finish(struct frozen *frozen, struct pidmem_error *error)
{
	AUTO_MAPS copied = NULL;
	int result = frozen->copy_process
			     ? 0
			     : process_open_copy(frozen->process, frozen->copy, error, &frozen->copy_process);

	if (result < 0 ||
	    (result = source_open_live(frozen->copy_process, frozen->freeze->options.select, error, &frozen->source)) <
		    0 ||
	    (result = pidmem_maps_read(frozen->copy_process, PIDMEM_MAPS_USAGE, error, &copied)) < 0)
		return result;
	struct pidmem_maps *joined = take(copied);
	if (!is_whole(frozen, joined)) {
		copied = joined;
		joined = join(copied, frozen->live->maps);
	}
	if (!joined)
		return fail_memory(error);
	struct pidmem_source *source = frozen->source;
	source->target = frozen->process;
	source_take_maps(source, joined);
	source->consistency = PIDMEM_SNAPSHOT;
	source->frozen = frozen;
	source->kept = &frozen->kept;
	source->live = frozen->live;
	count_shared(frozen);
	pidmem_walk_close(take(frozen->saver));
	return 0;
}
