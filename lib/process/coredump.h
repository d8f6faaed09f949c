/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * coredump - which memory of a process the kernel puts into its core files
 *
 * The rules of vma_dump_size() in fs/coredump.c (Linux 6.18; bit 4 of the filter since 2.6.24, bits 5 and 6
 * since 2.6.28), in its order: one pure function on facts, and one that gathers the facts of a region.
 */
#ifndef PROCESS_COREDUMP_H
#define PROCESS_COREDUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "pidmem.h"

/* Bits of /proc/PID/coredump_filter: core(5). */
#define COREDUMP_ANON_PRIVATE 0x01U
#define COREDUMP_ANON_SHARED 0x02U
#define COREDUMP_MAPPED_PRIVATE 0x04U
#define COREDUMP_MAPPED_SHARED 0x08U
#define COREDUMP_ELF_HEADERS 0x10U
#define COREDUMP_HUGETLB_PRIVATE 0x20U
#define COREDUMP_HUGETLB_SHARED 0x40U
#define COREDUMP_DEFAULT 0x33U

/* The facts of a region that the rules look at. */
struct coredump_facts {
	bool kernel;       /* [vdso], [vvar], [vsyscall], [uprobes]: always dumped */
	bool shared;       /* VM_SHARED */
	bool file;         /* there is a file behind it */
	bool unlinked;     /* of which no name is left: i_nlink is 0 */
	bool executable;   /* of which someone may execute it: i_mode & 0111 */
	bool written;      /* private pages were ever made (anon_vma) */
	bool header;       /* readable, and begins with the first page of its file */
	uint32_t vm_flags; /* PIDMEM_VM_* */
};

/* How much of a region is dumped. */
enum coredump_extent {
	COREDUMP_NOTHING,
	COREDUMP_PAGE,        /* its first page */
	COREDUMP_PAGE_IF_ELF, /* the same, if it begins with the magic bytes of ELF */
	COREDUMP_WHOLE,
};

enum coredump_extent coredump_rule(const struct coredump_facts *facts, unsigned filter);

/*
 * Gather the facts. `usage` is what smaps says of the region; NULL if that cannot be had: then no flags are known, and
 * it counts as written.
 *
 * What /proc does not tell, and is approximated: `written` is "private pages or swap are there now", so that a region
 * all of whose written pages were dropped again (MADV_DONTNEED) counts as never written; memory on DAX devices is taken
 * as ordinary files (bits 7 and 8 of the filter have no effect); and without the right to look into map_files or the
 * target's root, a file is `unlinked` if the name that it was mapped by is gone, and not `executable`.
 */
void coredump_gather(struct pidmem_process *process, const struct pidmem_region *region,
		     const struct pidmem_usage *usage, struct coredump_facts *facts);

/* The filter of the process: 0, or -errno. Errors: PIDMEM_GONE, PIDMEM_ACCESS, PIDMEM_SYSTEM. */
int coredump_filter_read(struct pidmem_process *process, struct pidmem_error *error, unsigned *filter);

#endif
