/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending to track, so that the process hardly notices. The kernel takes the protection from each page, for 23 ms/GiB of
 * 4 KiB pages, when a mapping is let go, and page faults of the process wait for it. It can be taken from them before,
 * in small steps, which keeps nobody waiting; but then the kernel still looks at each page again. It does not at what
 * is registered as missing only, and memory can be registered so afresh. As page faults would be held back then, in
 * system calls they would even fail, the process stands still for that moment; which it has to also because a mapping
 * that grows just when it is let go would be split.
 */
#include "process/kernel.h"
#include "process/process.h"
#include "source/precopy.h"

/* What is less is let go by closing the descriptor, in 3 ms. */
#define MUCH (128ULL << 20)
/* A stop for smaller pieces would be as long as what it saves. */
#define LARGE (8ULL << 20)
#define MAPPING_LARGE (1ULL << 20)

/* Mappings side by side that the kernel may make one. */
struct piece {
	uint64_t start, end;
	bool files;
	unsigned mappings;
};

/* The mapping at or above an address, as it is now; false if there is none, or the kernel cannot tell (before 6.11). */
static bool find_mapping(const struct precopy *precopy, uint64_t address, struct piece *mapping)
{
	struct procmap_query question = { .size = sizeof question,
					  .query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA,
					  .query_addr = address };

	if (address >= precopy->tracker.end || process_query(precopy->process, &question) != 1)
		return false;
	*mapping = (struct piece){ question.vma_start, question.vma_end, question.inode != 0, 1 };
	return true;
}

/* The piece at or above an address. */
static bool find_piece(const struct precopy *precopy, uint64_t address, struct piece *piece)
{
	struct piece next;

	if (!find_mapping(precopy, address, piece))
		return false;
	while (find_mapping(precopy, piece->end, &next) && next.start == piece->end && next.files == piece->files) {
		piece->end = next.end;
		piece->mappings++;
	}
	return true;
}

/* Mappings of files hardly ever grow or move: they may be split, and are let go in steps. */
static int unprotect(const struct precopy *precopy, struct page_list *large)
{
	struct piece piece = { 0 };
	int result = 0;

	while (result == 0 && find_piece(precopy, piece.end, &piece)) {
		uint64_t size = piece.end - piece.start;
		const struct pidmem_region all = { .start = piece.start, .size = size };
		if (!store_has(&precopy->store, piece.start, size) || precopy_is_foreign(precopy, &all))
			continue;
		if (piece.files && size > MUCH)
			tracker_remove(&precopy->tracker, piece.start, size);
		if (piece.files)
			continue;
		tracker_unprotect(&precopy->tracker, piece.start, size);
		if (size >= LARGE && size / piece.mappings >= MAPPING_LARGE)
			result = page_list_add(large, piece.start, size);
	}
	return result;
}

static bool all_stopped(struct guard *guard)
{
	struct stopped_threads *threads;
	bool all = true;

	if (guard_threads(guard, 0, NULL, &threads) < 0)
		return false;
	for (size_t i = 0; i < threads->count; i++)
		all &= threads->threads[i].stopped;
	stopped_threads_free(threads);
	return all;
}

/* Pieces may have grown, or become one, since they were listed. */
static void drop(const struct precopy *precopy, const struct page_list *large)
{
	struct piece piece = { 0 };

	for (size_t i = 0; i < large->count; i++)
		if (large->items[i].end > piece.end && find_piece(precopy, large->items[i].start, &piece) &&
		    !piece.files)
			tracker_drop(&precopy->tracker, piece.start, piece.end - piece.start);
}

/* What cannot be let go this way is let go when the descriptor is closed. */
static void drop_standing(const struct precopy *precopy, const struct page_list *large)
{
	AUTO_GUARD guard = NULL;
	uint64_t stop_us;

	if (guard_start(NULL, &guard) < 0 || guard_stop(guard, &precopy->process->pid, 1, FREEZE_PATIENCE_MS, NULL) < 0)
		return;
	if (all_stopped(guard))
		drop(precopy, large);
	if (guard_resume(guard, NULL, &stop_us) == 0)
		frozen_add_stop(precopy->frozen, stop_us);
}

void precopy_untrack(struct precopy *precopy)
{
	struct page_list large = { 0 };

	if (precopy->userfaultfd < 0)
		return;
	if (process_memory_used(precopy->process) > MUCH && unprotect(precopy, &large) == 0 && large.count)
		drop_standing(precopy, &large);
	free(large.items);
	close(take_fd(&precopy->userfaultfd));
}
