/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages that were copied into memory, until there is time to write them into a store. */
#ifndef SOURCE_PAGE_POOL_H
#define SOURCE_PAGE_POOL_H

#include "process/scan.h"
#include "source/store.h"

/* Ranges of pages, in any order. */
struct page_list {
	struct page_region *items;
	size_t count, capacity;
};

/* Append a range, or make the last one longer: 0 or -ENOMEM. */
int page_list_add(struct page_list *list, uint64_t start, uint64_t size);

/* Is it one of zeros? */
static inline bool page_run_is_zero(const struct page_region *run)
{
	return run->categories & PAGE_IS_PFNZERO;
}

/* All zero is an empty one. */
struct page_pool {
	struct page_list list; /* what is in it, in the order in which it came; a page can come again */
	unsigned char *bytes;  /* of all of that, one after another */
	uint64_t used, room;
	bool borrowed; /* the room is another one's */
};

/* Get room for so many bytes in all; what was added stays, if the room is not
 * borrowed. Physical memory is taken at once: 0 or -ENOMEM. */
int page_pool_reserve(struct page_pool *pool, uint64_t size);
/* The same, of room that another one has left over, if there is enough; nothing may be added to that one any more. */
int page_pool_borrow(struct page_pool *pool, const struct page_pool *from, uint64_t size);
/* Note a range that is to be copied later, when there is room: 0 or -ENOMEM. */
int page_pool_note(struct page_pool *pool, uint64_t start, uint64_t size);
/* Room for the bytes of a range, which counts as copied from then on; NULL if there is not enough. */
void *page_pool_add(struct page_pool *pool, uint64_t start, uint64_t size);
/* The same for zeros, which take no room: 0 or -ENOMEM. */
int page_pool_add_zeros(struct page_pool *pool, uint64_t start, uint64_t size);
/* Write all of it into a store, what came last first (see store_turn_back()), and make the pool empty. Errors: of
 * store_write(). */
int page_pool_flush(struct page_pool *pool, struct store *store, struct pidmem_error *error);
/* Make it empty; its room stays. */
void page_pool_clear(struct page_pool *pool);
/* Make an empty one as it was when it had so many ranges and bytes: its list, to be filled in as well; NULL without
 * memory. */
struct page_region *page_pool_refill(struct page_pool *pool, uint64_t count, uint64_t size);
void page_pool_done(struct page_pool *pool);

#endif
