/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of a region a file holds. */
#ifndef CLI_SAVED_H
#define CLI_SAVED_H

#include "pidmem.h"

/* Of which file saved_size() tells. */
void saved_of(struct pidmem_source *file);

/* Bytes of its content that are in the file; larger holes, which are zeros, do not count. */
uint64_t saved_size(const struct pidmem_region *region);

#endif
