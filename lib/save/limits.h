/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a saved file may take: so many bytes, so much time. */
#ifndef SAVE_LIMITS_H
#define SAVE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "pidmem.h"

struct file_sink;

/* Zeros: there are none. */
struct limits {
	uint64_t size, end_us;
	bool partial;     /* save what there is when one is reached */
	bool reached;     /* with `partial`: nothing more is saved */
	uint64_t before;  /* bytes in other files, which are complete */
	uint64_t reserve; /* bytes for what has to come at the end */
};

/* 0: no limit. The time begins now. */
void limits_init(struct limits *limits, uint64_t size, uint64_t time_us, bool partial);

/*
 * Cut the next piece from a span of which some is left: all of it, or as much as may be written into the file now,
 * which can be less than a page; of what `takes_room` alone. 1 at a limit, where the rest is told as not saved, and
 * `reached` is set; or without `partial` PIDMEM_LIMIT.
 */
int limits_cut(struct limits *limits, struct file_sink *file, bool takes_room, struct pidmem_span *rest,
	       struct pidmem_error *error, struct pidmem_span *piece);
/* All is written: 0 or PIDMEM_LIMIT. */
int limits_check(const struct limits *limits, const struct file_sink *file, struct pidmem_error *error);

#endif
