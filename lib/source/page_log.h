/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What pools could not hold: their pages one after another in a file without a name, until there is time to put each
 * where it belongs. Scattered pages take ten times as long to write as such that follow each other, and longer yet when
 * the kernel finds that there are too many (balance_dirty_pages() in mm/page-writeback.c).
 */
#ifndef SOURCE_PAGE_LOG_H
#define SOURCE_PAGE_LOG_H

#include "source/page_pool.h"

struct page_log {
	struct file_sink file;
	const char *directory; /* where that is, once there is something in it; NULL: nowhere */
	size_t sharers;        /* so many logs grow there at the same time */
	uint64_t *blocks;      /* where each pool begins */
	size_t count, capacity;
	uint64_t size; /* of the file */
};

#define PAGE_LOG_INIT(where, count)                                              \
	{                                                                        \
		.file = FILE_SINK_INIT, .directory = (where), .sharers = (count) \
	}

void page_log_close(struct page_log *log);

/* Append all of a pool, which is empty then: 1, or 0 if there is no room for it: all that share the directory take no
 * more than half of what is free there. Errors, also of what was appended before: PIDMEM_UNSUPPORTED. */
int page_log_add(struct page_log *log, struct page_pool *pool, struct pidmem_error *error);
/* Wait until what was appended has been written, and end the thread that does it. Errors: the same. */
int page_log_settle(struct page_log *log, struct pidmem_error *error);
/* Take what was appended last back into an empty pool: 1, or 0 if the log is empty. Errors: PIDMEM_SYSTEM. */
int page_log_take(struct page_log *log, struct page_pool *pool, struct pidmem_error *error);

#endif
