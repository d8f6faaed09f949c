/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ADDR and LEN of `read`: a range that lies in one stretch of adjacent regions. */
#ifndef CLI_STRETCH_H
#define CLI_STRETCH_H

#include "target.h"

struct range {
	uint64_t start, size;
};

/* `length` may be NULL. 0, or EXIT_FAILED after a message that says what is mapped instead. */
int range_parse(const struct target *target, const struct pidmem_maps *maps, const char *address, const char *length,
		struct range *range);

#endif
