/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where it is kept what the passes copy: the first one in the store, others in a pool, and what that cannot hold in a
 * log. */
#include <string.h>

#include "base/error.h"
#include "source/precopy.h"

/* They take no room in a pool, but its list is not to grow without end. */
#define ZERO_RUNS 65536

/* From the newest to the oldest, so that each page is written once. */
int precopy_flush(struct precopy *precopy, struct pidmem_error *error)
{
	struct store *store = &precopy->store;
	int result = store_turn_back(store) < 0 ? fail_memory(error) : 0;

	if (result == 0)
		result = page_pool_flush(&precopy->late, store, error);
	do {
		if (result >= 0)
			result = page_pool_flush(&precopy->recent, store, error);
		if (result >= 0 && watch_ask(&precopy->frozen->freeze->watch))
			result = file_cancelled(error);
	} while (result >= 0 && (result = page_log_take(&precopy->log, &precopy->recent, error)) > 0);
	store_turn_forth(store);
	return result;
}

/* Make room in the pool. */
static int put_away(struct precopy *precopy, struct pidmem_error *error)
{
	int result = page_log_add(&precopy->log, &precopy->recent, error);

	if (result != 0)
		return result < 0 ? result : 0;
	return precopy_flush(precopy, error);
}

int precopy_keep(struct precopy *precopy, uint64_t start, uint64_t size, struct pidmem_error *error)
{
	void *room = page_pool_add(&precopy->recent, start, size);

	if (precopy->recent.room == 0)
		return store_write(&precopy->store, start, precopy->buffer, size, error);
	if (!room) {
		int result = put_away(precopy, error);
		if (result < 0)
			return result;
		room = page_pool_add(&precopy->recent, start, size);
	}
	if (!room)
		return fail_memory(error);
	memcpy(room, precopy->buffer, size);
	return 0;
}

int precopy_keep_zeros(struct precopy *precopy, uint64_t start, uint64_t size, struct pidmem_error *error)
{
	if (precopy->recent.room == 0)
		return store_clear(&precopy->store, start, size, error);
	if (!store_has(&precopy->store, start, size)) /* nothing of it was ever copied */
		return 0;
	int result = precopy->recent.list.count < ZERO_RUNS ? 0 : put_away(precopy, error);
	if (result == 0 && page_pool_add_zeros(&precopy->recent, start, size) < 0)
		return fail_memory(error);
	return result;
}
