/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a frozen copy does not hold, saved while the target stood still: spans with their bytes, in memory. */
#ifndef SOURCE_KEPT_H
#define SOURCE_KEPT_H

#include "pidmem.h"

/* The region is that of the list by which it was saved. */
struct kept {
	struct pidmem_span *spans; /* in the order of their addresses */
	size_t count, capacity;
	struct kept_chunk *chunks; /* what their bytes lie in; the newest first */
};

/* Get room for so many bytes and spans in advance, so that little is left to do while somebody waits: 0 or -ENOMEM. */
int kept_reserve(struct kept *kept, uint64_t bytes, size_t spans);
/* Keep a span, behind all others: 0 or -ENOMEM. */
int kept_add(struct kept *kept, const struct pidmem_span *span);
/* Put them in order, if some were kept out of it. */
void kept_sort(struct kept *kept);
void kept_done(struct kept *kept);

/* The span that holds an address, else the next above it, else NULL. */
const struct pidmem_span *kept_find_next(const struct kept *kept, uint64_t address);

#endif
