/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The object behind a region: pages that the process does not have in its page tables are read from there, because
 * reading them through the process would make it grow.
 */
#ifndef PROCESS_BACKING_H
#define PROCESS_BACKING_H

#include "pidmem.h"

enum backing_state {
	BACKING_UNKNOWN,     /* cannot be reached, and is not known to be a regular file */
	BACKING_UNREACHABLE, /* a regular file or shared memory that cannot be opened */
	BACKING_OPEN,
};

struct backing {
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	bool used;
	enum backing_state state;
	int fd;        /* BACKING_OPEN */
	uint64_t size; /* when it was last asked for */
};

/* A few, round robin: regions of one file stand close together, and a process may map 65,000 files. */
#define BACKINGS 16
struct backings {
	struct backing items[BACKINGS];
	unsigned next;
};
void backings_done(struct backings *backings);

/* The backing of a region that has an inode; never NULL, valid until the next call. */
const struct backing *backing_of(struct backings *backings, struct pidmem_process *process,
				 const struct pidmem_region *region);

/*
 * What does the file hold from `offset` on? Returns the number of bytes that are alike, up to `size` (a multiple of the
 * page size): a hole (*hole true: zeros) or data. 0 past the end of the file, where the last page counts as whole.
 */
uint64_t backing_extent(const struct backing *backing, uint64_t offset, uint64_t size, bool *hole);

/* Read `size` bytes, at most to the end of the file's last page. 0 or -errno. */
int backing_read(const struct backing *backing, uint64_t offset, void *bytes, size_t size);

#endif
