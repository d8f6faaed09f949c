/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much of each region is in memory and in swap. The page tables of tens of thousands of regions take the kernel as
 * long to go through as their list takes to print: with a second processor both are done at the same time.
 */
#ifndef PROCESS_RESIDENCE_H
#define PROCESS_RESIDENCE_H

#include "base/cleanup.h"
#include "pidmem.h"

struct residence;

/* Get ready; *out is NULL where the kernel cannot scan (before 6.7) and smaps has to tell. */
int residence_open(struct pidmem_process *process, struct pidmem_error *error, struct residence **out);
void residence_close(struct residence *residence);
DEFINE_CLEANUP(cleanup_residence, struct residence *, residence_close)

/* The list is long: begin to scan in another thread. */
void residence_begin(struct residence *residence);

/* Fill resident and swapped of each region. */
int residence_fill(struct residence *residence, struct pidmem_maps *maps, struct pidmem_error *error);

#endif
