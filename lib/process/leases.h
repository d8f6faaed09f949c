/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening a file for which some process holds a write lease breaks the lease: its holder gets SIGIO, which ends a
 * program that did not expect it (fcntl(2), F_SETLEASE). Such files must not be opened.
 */
#ifndef PROCESS_LEASES_H
#define PROCESS_LEASES_H

#include "base/buffer.h"
#include "pidmem.h"

/* Take in /proc/locks, beside /proc/PID; 0 or -errno. */
int leases_read(struct buffer *locks, const struct pidmem_process *process);

/* Does a process hold a write lease (or delegation) on the file of a region? */
bool leases_forbid(const struct buffer *locks, const struct pidmem_region *region);

#endif
