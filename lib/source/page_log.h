/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What pools could not hold: their pages one after another in a file without a name, until there is time to put each
 * where it belongs. Scattered pages take ten times as long to write as such that follow each other, and longer yet when
 * the kernel finds that there are too many (balance_dirty_pages() in mm/page-writeback.c).
 */
#ifndef SOURCE_PAGE_LOG_H
#define SOURCE_PAGE_LOG_H

#include "sink/watch.h"
#include "source/page_pool.h"

struct page_log {
	struct file_sink file;
	const char *directory; /* where that is, once there is something in it */
	uint64_t size;         /* bytes in it */
};

#define PAGE_LOG_INIT(where)                                 \
	{                                                    \
		.file = FILE_SINK_INIT, .directory = (where) \
	}

void page_log_close(struct page_log *log);

/* Append all of a pool, which is empty then: 1, or 0 if there is no room for it. It takes no more than half of what is
 * free in the directory. Errors: of file_put_at(). */
int page_log_add(struct page_log *log, struct page_pool *pool, struct pidmem_error *error);
/* Write all of it into a store, where what came last counts; the log is empty then. Errors: of store_write(), and
 * PIDMEM_CANCELLED. */
int page_log_flush(struct page_log *log, struct store *store, struct watch *watch, struct pidmem_error *error);

#endif
