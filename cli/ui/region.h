/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fields of a region as /proc/PID/maps writes them, put at `at`; the end is returned. */
#ifndef UI_REGION_H
#define UI_REGION_H

#include "pidmem.h"

/* "rw-p" */
char *put_perms(char *at, const struct pidmem_region *region);
/* "08:01" */
char *put_dev(char *at, const struct pidmem_region *region);
/* The first address behind a range, which may be 2^64. */
char *put_end(char *at, uint64_t start, uint64_t size);

#endif
