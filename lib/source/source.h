/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source of bytes, from inside. */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include "base/cleanup.h"
#include "pidmem.h"
#include "process/backing.h"

struct pidmem_source {
	struct pidmem_process *process;
	const struct pidmem_select *select;
	struct pidmem_maps *maps;
	struct pidmem_maps *flag_maps; /* with usage; read when some region's flags are first asked for */
	struct backings backings;
	bool cost_by_size; /* no PAGEMAP_SCAN: huge regions without a resident page are not looked into */
	/* For kernels without PROCMAP_QUERY or PAGEMAP_SCAN: the regions as they were a moment ago. */
	struct pidmem_maps *fresh;
	uint64_t fresh_us, flags_us;
	enum { UFFD_NOT_ASKED, UFFD_NONE, UFFD_PERHAPS } userfaultfd; /* is memory registered with one? */
};

DEFINE_CLEANUP(cleanup_walk, struct pidmem_walk *, pidmem_walk_close)
#define AUTO_WALK CLEANUP(cleanup_walk) struct pidmem_walk *

/* PIDMEM_VM_* of a region; 0 if they cannot be had. */
uint32_t source_flags(struct pidmem_source *source, const struct pidmem_region *region);

/* Does a userfaultfd supply the region's missing pages? Asked only when there are some: it costs milliseconds. */
bool source_is_uffd_missing(struct pidmem_source *source, const struct pidmem_region *region);

/* What pages are that the process does not have in its page tables. */
enum absent {
	ABSENT_ZERO,    /* private memory: never touched, unless a userfaultfd supplies it */
	ABSENT_FILE,    /* in the file */
	ABSENT_NO_FILE, /* in a file or object that cannot be reached */
	ABSENT_VDSO,    /* code of the kernel, the same in each process */
	ABSENT_KERNEL,  /* never told: [vvar], [vsyscall] */
	ABSENT_DEVICE,  /* never touched */
	ABSENT_FAILED,  /* could not be found out: source_failure() */
};
enum absent source_absent(struct pidmem_source *source, const struct pidmem_region *region);

/* The error behind ABSENT_FAILED; returns -errno. */
int source_failure(struct pidmem_source *source, const struct pidmem_region *region, struct pidmem_error *error);

/* process_still_maps(), and on kernels where that cannot tell, the list of regions of at most 50 ms ago. */
bool source_still_maps(struct pidmem_source *source, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size);

/* Without PAGEMAP_SCAN: is there certainly nothing in a region that is too large to look? */
bool source_is_empty(struct pidmem_source *source, const struct pidmem_region *region);

/* Why an absent page of ABSENT_NO_FILE cannot be read. */
enum pidmem_why source_no_file_why(const struct pidmem_region *region);

/*
 * Reading failed at `address`, within `region`; find out why, for as much as shares the cause: fills class, why and
 * size (at most `limit`). Returns 1, or 0 if the page is no longer in the page tables: then it is an absent one. The
 * size is set in both cases. -errno if the process is gone.
 */
int explain_unreadable(struct pidmem_source *source, const struct pidmem_region *region, uint64_t address,
		       uint64_t limit, struct pidmem_error *error, struct pidmem_span *span);

#endif
