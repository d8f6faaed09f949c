/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this kernel's PAGEMAP_SCAN (ioctl of /proc/PID/pagemap, Linux 6.7) can be asked. */
#ifndef PROCESS_SCAN_H
#define PROCESS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "process/kernel.h"

/* Ask: the number of runs, or -errno. `argument->size` is filled in. */
int pagemap_scan(int pagemap, struct pm_scan_arg *argument);

/* Those of `categories` that this kernel knows; guard pages are told since 6.15. 0 if it cannot be asked at all. */
uint64_t pagemap_known(int pagemap, uint64_t categories);

/* The end of the addresses that may be asked about: the kernel refuses what leaves the user half of the address space,
 * whose size depends on the machine. 0 if none may. */
uint64_t pagemap_end(int pagemap);

/* Does memory that is tracked, but for huge pages of a pool, count as written where it has no page table? So it does
 * since July 2026 ("fix PAGEMAP_SCAN written state for PMD holes"), in stable kernels as well. Tried on this process;
 * false if that cannot be done. */
bool pagemap_tells_holes(void);

#endif
