/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening a file for which some process holds a write lease breaks the lease: its holder gets SIGIO, which ends a
 * program that did not expect it (fcntl(2), F_SETLEASE). Such files must not be opened.
 */
#ifndef PROCESS_LEASES_H
#define PROCESS_LEASES_H

#include "base/buffer.h"
#include "base/worker.h"
#include "pidmem.h"

struct leases {
	struct buffer locks; /* /proc/locks */
	int dir;             /* /proc/PID, beside which that is */
	bool begun;
	pid_t owner;           /* who has that thread */
	struct worker *worker; /* reads them; NULL: nobody, or not any more */
};
void leases_done(struct leases *leases);

/* Begin to read them, once, while the caller does something else: it can take 20 ms, since the kernel waits for all
 * processors to be at rest (percpu_down_write() in fs/locks.c). */
void leases_begin(struct leases *leases, const struct pidmem_process *process);
/* Until they have been read. */
void leases_wait(struct leases *leases);

/* Does a process hold a write lease (or delegation) on the file of a region? */
bool leases_forbid(struct leases *leases, const struct pidmem_process *process, const struct pidmem_region *region);

#endif
