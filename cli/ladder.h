/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The address space as a ladder: neighbours together, gaps folded. */
#ifndef CLI_LADDER_H
#define CLI_LADDER_H

#include "pidmem.h"

/* A gap of this size or more is told. */
#define LADDER_GAP (UINT64_C(1) << 30)

/* What lies between two neighbours. */
uint64_t ladder_between(const struct pidmem_region *below, const struct pidmem_region *above);
/* "... 41.9 TiB free": so much lies between what is listed, if it is large. */
void ladder_gap(uint64_t gap);

/* Some rungs for a terminal; with strips of the pages of `process`, if it is not NULL. */
void ladder_print(const struct pidmem_maps *maps, struct pidmem_process *process);

#endif
