/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROCESS_PAGES_H
#define PROCESS_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "pidmem.h"

DEFINE_CLEANUP(cleanup_pages, struct pidmem_pages *, pidmem_pages_close)
#define AUTO_PAGES CLEANUP(cleanup_pages) struct pidmem_pages *

/* Leave out what lies below `address`. */
void pages_skip_to(struct pidmem_pages *pages, uint64_t address);

/* Move on, forward or back, to another range within the one that was opened. */
void pages_move(struct pidmem_pages *pages, uint64_t start, uint64_t size);

/* Neither PIDMEM_PAGE_FILE nor PIDMEM_PAGE_HUGE will be told: for PAGE_IS_FILE the kernel looks up each page, which
 * takes it ten times as long as the page tables alone. */
void pages_ask_less(struct pidmem_pages *pages);

/* Does the cost follow the size of the range (no PAGEMAP_SCAN) instead of the pages that exist? */
bool pages_cost_by_size(const struct pidmem_pages *pages);

#endif
