/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tracking which pages of a process are written to (Linux 6.7, commits 52526ca7fdb9 and d61ea1cb0095): memory is
 * registered with a userfaultfd in the mode in which the kernel itself resolves the first write to a protected page,
 * and PAGEMAP_SCAN lists written pages, and protects them again in the same step. Closing the descriptor ends all of
 * it.
 */
#ifndef PROCESS_TRACKER_H
#define PROCESS_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pidmem.h"
#include "process/kernel.h"

struct tracker {
	int userfaultfd, pagemap; /* borrowed */
	uint64_t end;             /* of the address space that can be asked about */
	uint64_t known;           /* categories that this kernel knows */
	bool tells_holes;         /* TRACKER_UNPROTECTED may be asked */
};

/* Get ready: 0, or -errno; -EINVAL if the kernel cannot do it. */
int tracker_init(struct tracker *tracker, int userfaultfd, int pagemap);

/*
 * Track the mappings in a range from now on: 0, or -errno; -EBUSY if one is registered elsewhere, by the process or for
 * it. The range should end between mappings: one that is tracked in part is split, and mremap(2) fails on such.
 */
int tracker_add(const struct tracker *tracker, uint64_t start, uint64_t size);

/* The first address from `start` on that is tracked, by whoever it may be, or that is not; `end` if there is none. If
 * it cannot be found out, nothing is. */
uint64_t tracker_find(const struct tracker *tracker, uint64_t start, uint64_t end, bool tracked);

/* Stop tracking a mapping, in steps, by which it is split until the last one; mremap(2) fails on such. What is not let
 * go otherwise is when the descriptor is closed: page faults of the process then wait, for 23 ms/GiB of 4 KiB pages. */
void tracker_remove(const struct tracker *tracker, uint64_t start, uint64_t size);

/* Take the protection from the pages of a mapping, which takes as long, and for which nobody waits: 0, or -errno. */
int tracker_unprotect(const struct tracker *tracker, uint64_t start, uint64_t size);
/* Stop tracking what was unprotected, at once. Whoever uses the memory must stand still, as his page faults fail
 * meanwhile; only mappings of no file can be dropped so. */
void tracker_drop(const struct tracker *tracker, uint64_t start, uint64_t size);

/* A range of the address space to look at. */
struct tracker_range {
	uint64_t start, end;
	bool files;   /* mappings of files: are pages the file's or copies of their own? Looking costs 50 ns a page */
	bool foreign; /* somebody else has registered them: they are not tracked, and must not be protected */
};

/* Which pages to list; the last three are for when the process stands still. Pages of files that it has not written to
 * are left out, but by these. */
enum tracker_scan {
	TRACKER_UNTRACKED, /* that exist in mappings that are not tracked */
	TRACKER_WRITTEN,   /* written to since the last time; protect them */
	TRACKER_EXISTING,  /* that exist in mappings that are tracked; protect them */
	TRACKER_PRESENT,   /* that exist, those of files as well */
	TRACKER_CHANGED,   /* all but those that are in memory, and tracked, and were not written to */
	/* All of these, and others, of what is tracked, but for huge pages of a pool: in less than half the time, but
	 * without anything about them. */
	TRACKER_UNPROTECTED,
};

/*
 * List pages of a range, up to so many runs and bytes; moves its start behind what was looked at, to its end when all
 * was. Returns the number of runs, or -errno.
 */
int tracker_list(const struct tracker *tracker, enum tracker_scan what, struct tracker_range *range,
		 struct page_region *runs, size_t count, uint64_t bytes);

#endif
