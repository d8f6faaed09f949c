/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending to track, so that the process hardly notices. The kernel takes the protection from each page, for 23 ms/GiB of
 * 4 KiB pages, when a mapping is let go, and page faults of the process wait for it. It can be taken from them before,
 * in small steps, which keeps nobody waiting; but then the kernel still looks at each page again. It does not at what
 * is registered as missing only, and memory can be registered so afresh. As page faults would be held back then, in
 * system calls they would even fail, all who use the memory stand still for that moment; which they have to also
 * because a mapping that grows just when it is let go would be split.
 */
#include "process/kernel.h"
#include "process/process.h"
#include "source/precopy.h"

/* What is less is let go by closing the descriptor, in 3 ms. */
#define MUCH (128ULL << 20)
/* A stop for smaller pieces, or for more mappings, would be as long as what it saves. */
#define DROPPED_LEAST (8ULL << 20)
#define MAPPING_LEAST (1ULL << 20)

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

static bool is_foreign(const struct precopy *precopy, const struct piece *piece)
{
	const struct pidmem_region all = { .start = piece->start, .size = piece->end - piece->start };

	return precopy_is_foreign(precopy, &all);
}

/* The piece at or above an address. */
static bool find_piece(const struct precopy *precopy, uint64_t address, struct piece *piece)
{
	struct piece next;

	if (!find_mapping(precopy, address, piece))
		return false;
	bool foreign = is_foreign(precopy, piece);
	while (find_mapping(precopy, piece->end, &next) && next.start == piece->end && next.files == piece->files &&
	       is_foreign(precopy, &next) == foreign) {
		piece->end = next.end;
		piece->mappings++;
	}
	return true;
}

/* What came last is not tracked, and so not protected. */
static int unprotect_mapping(const struct precopy *precopy, const struct piece *mapping)
{
	uint64_t start = mapping->start, size = mapping->end - start;

	if (tracker_find(&precopy->tracker, start, mapping->end, true) == mapping->end)
		return 0;
	if (precopy->registers && precopy_is_taken(precopy, start, size))
		return -EBUSY;
	return tracker_unprotect(&precopy->tracker, start, size);
}

static int unprotect_piece(const struct precopy *precopy, struct piece piece)
{
	struct piece mapping = { .end = piece.start };
	int result = 0;

	while (result == 0 && mapping.end < piece.end && find_mapping(precopy, mapping.end, &mapping))
		result = unprotect_mapping(precopy, &mapping);
	return result;
}

/* Mappings of files hardly ever grow or move: they may be split, and are let go in steps. */
static int unprotect(const struct precopy *precopy, struct page_list *large)
{
	struct piece piece = { 0 };
	int result = 0;

	while (result == 0 && find_piece(precopy, piece.end, &piece)) {
		uint64_t size = piece.end - piece.start;
		if (!store_has(&precopy->store, piece.start, size) || is_foreign(precopy, &piece))
			continue;
		if (piece.files && size > MUCH)
			tracker_remove(&precopy->tracker, piece.start, size);
		if (piece.files || unprotect_piece(precopy, piece) < 0)
			continue;
		if (size >= DROPPED_LEAST && size / piece.mappings >= MAPPING_LEAST)
			result = page_list_add(large, piece.start, size);
	}
	return result;
}

static bool all_stopped(const struct stopped_threads *threads)
{
	for (size_t i = 0; threads && i < threads->count; i++)
		if (!threads->threads[i].stopped && !process_state_is_end(threads->threads[i].state))
			return false;
	return true;
}

/* Can everybody be stopped who uses the memory? A thread that did not stop before is held by the guard of that stop. */
static bool can_stand_still(const struct precopy *precopy)
{
	const struct stopped_threads *threads;

	return !precopy->frozen->freeze->held && frozen_threads(precopy->frozen, NULL, &threads) >= 0 &&
	       all_stopped(threads) && process_count_sharers(precopy->process) == 0;
}

/* Pieces may have grown, or become one, since they were listed; what is new in them is not protected. */
static void drop(const struct precopy *precopy, const struct page_list *large)
{
	struct piece piece = { 0 };

	for (size_t i = 0; i < large->count; i++)
		if (large->items[i].end > piece.end && find_piece(precopy, large->items[i].start, &piece) &&
		    !piece.files)
			tracker_drop(&precopy->tracker, piece.start, piece.end - piece.start);
}

static void drop_standing(const struct precopy *precopy, const struct page_list *large)
{
	AUTO_GUARD guard = NULL;
	struct stopped_threads *threads;
	uint64_t stop_us;

	if (guard_start(NULL, &guard) < 0)
		return;
	int stopped = guard_stop(guard, &precopy->process->pid, 1, freeze_patience_ms(precopy->frozen->freeze), NULL);
	if (stopped >= 0 && pidmem_process_check(precopy->process, NULL) == 0 &&
	    guard_threads(guard, 0, NULL, &threads) >= 0) {
		if (all_stopped(threads))
			drop(precopy, large);
		stopped_threads_free(threads);
	}
	if (guard_resume(guard, NULL, &stop_us) >= 0)
		frozen_add_stop(precopy->frozen, stop_us);
}

/* What cannot be let go in another way is let go when the descriptor is closed. */
static void let_go(const struct precopy *precopy)
{
	struct page_list large = { 0 };
	sigset_t before;

	if (unprotect(precopy, &large) == 0 && large.count) {
		freeze_block_signals(&before);
		drop_standing(precopy, &large);
		freeze_restore_signals(&before);
	}
	free(large.items);
}

void precopy_untrack(struct precopy *precopy)
{
	if (precopy->userfaultfd < 0)
		return;
	if (process_memory_used(precopy->process) > MUCH && can_stand_still(precopy))
		let_go(precopy);
	close(take_fd(&precopy->userfaultfd));
}
