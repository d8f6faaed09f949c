/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions that are at another address in the second source: the same kind, name and size, and mostly the same bytes. */
#ifndef DIFF_MOVED_H
#define DIFF_MOVED_H

#include <stddef.h>

#include "pidmem.h"
#include "sink/watch.h"

struct move {
	const struct pidmem_region *regions[2];
	uint64_t compared, changed; /* bytes that both have, and of them that are not the same */
};

struct moves {
	struct move *items; /* by address in the second source */
	size_t count, capacity;
	const struct pidmem_region **gone; /* the same, by address in the first one */
};
void moves_done(struct moves *moves);

/* Find them all; `flags` of pidmem_walk_open(). 0 or -errno. */
int moves_find(struct moves *moves, struct pidmem_source *const sources[2], unsigned flags, struct watch *watch,
	       struct pidmem_error *error);

/* The move to, and whether there is one from, a region; NULL if it did not move. */
const struct move *moves_to(const struct moves *moves, const struct pidmem_region *region);
bool moves_has_gone(const struct moves *moves, const struct pidmem_region *region);

#endif
