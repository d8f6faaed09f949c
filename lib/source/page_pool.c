/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/page_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"

int page_list_add(struct page_list *list, uint64_t start, uint64_t size)
{
	struct page_region *last = list->count ? &list->items[list->count - 1] : NULL;

	if (last && last->end == start && !page_run_is_zero(last)) {
		last->end += size;
		return 0;
	}
	struct page_region *items = array_grow(list->items, list->count, &list->capacity, sizeof *items);
	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->count++] = (struct page_region){ .start = start, .end = start + size };
	return 0;
}

static void leave_room(struct page_pool *pool)
{
	if (pool->bytes && !pool->borrowed)
		munmap(pool->bytes, pool->room);
	pool->borrowed = false;
}

int page_pool_reserve(struct page_pool *pool, uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	size = (size + page - 1) & ~(page - 1);
	if (size <= pool->room)
		return 0;
	uint64_t before = pool->borrowed ? 0 : pool->room;
	unsigned char *bytes = before ? mremap(pool->bytes, before, size, MREMAP_MAYMOVE)
				      : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return -ENOMEM;
	madvise(bytes, size, MADV_HUGEPAGE); /* getting 4 KiB pages takes ten times as long */
	madvise(bytes + before, size - before, MADV_POPULATE_WRITE);
	pool->bytes = bytes;
	pool->room = size;
	pool->borrowed = false;
	return 0;
}

int page_pool_borrow(struct page_pool *pool, const struct page_pool *from, uint64_t size)
{
	if (size <= pool->room || size > from->room - from->used)
		return page_pool_reserve(pool, size);
	leave_room(pool);
	pool->bytes = from->bytes + from->used;
	pool->room = from->room - from->used;
	pool->borrowed = true;
	return 0;
}

int page_pool_note(struct page_pool *pool, uint64_t start, uint64_t size)
{
	int result = page_list_add(&pool->list, start, size);

	pool->used += result == 0 ? size : 0;
	return result;
}

void *page_pool_add(struct page_pool *pool, uint64_t start, uint64_t size)
{
	unsigned char *bytes = pool->bytes + pool->used;

	if (size > pool->room - pool->used || page_pool_note(pool, start, size) < 0)
		return NULL;
	return bytes;
}

int page_pool_add_zeros(struct page_pool *pool, uint64_t start, uint64_t size)
{
	/* Of its own, and not part of the last one. */
	struct page_region *items = array_grow(pool->list.items, pool->list.count, &pool->list.capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	pool->list.items = items;
	items[pool->list.count++] =
		(struct page_region){ .start = start, .end = start + size, .categories = PAGE_IS_PFNZERO };
	return 0;
}

void page_pool_clear(struct page_pool *pool)
{
	pool->list.count = 0;
	pool->used = 0;
}

struct page_region *page_pool_refill(struct page_pool *pool, uint64_t count, uint64_t size)
{
	if (count > pool->list.capacity) {
		struct page_region *items = reallocarray(pool->list.items, count, sizeof *items);
		if (!items)
			return NULL;
		pool->list.items = items;
		pool->list.capacity = count;
	}
	if (page_pool_reserve(pool, size) < 0)
		return NULL;
	pool->list.count = count;
	pool->used = size;
	return pool->list.items;
}

int page_pool_flush(struct page_pool *pool, struct store *store, struct pidmem_error *error)
{
	const unsigned char *end = pool->bytes + pool->used;
	int result = 0;

	for (size_t i = pool->list.count; i-- > 0 && result == 0;) {
		const struct page_region *run = &pool->list.items[i];
		uint64_t size = run->end - run->start;
		if (page_run_is_zero(run)) {
			result = store_clear(store, run->start, size, error);
			continue;
		}
		end -= size;
		result = store_write(store, run->start, end, size, error);
	}
	page_pool_clear(pool);
	return result;
}

void page_pool_done(struct page_pool *pool)
{
	leave_room(pool);
	free(pool->list.items);
	*pool = (struct page_pool){ 0 };
}
