/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The object behind a region: pages that the process does not have in its page tables are read from there, because
 * reading them through the process would make it grow.
 */
#ifndef PROCESS_BACKING_H
#define PROCESS_BACKING_H

#include "pidmem.h"
#include "process/leases.h"

enum backing_state {
	BACKING_UNKNOWN,     /* cannot be reached, and is not known to be a regular file */
	BACKING_UNREACHABLE, /* a regular file or shared memory that cannot be opened */
	BACKING_OPEN,
	BACKING_FAILED, /* no more descriptors: says nothing of the target */
};

struct backing {
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	char *path; /* of the region: inode numbers repeat in the subvolumes of one btrfs */
	enum backing_state state;
	int fd;        /* BACKING_OPEN */
	int error;     /* BACKING_FAILED: errno */
	unsigned gone; /* so often its mapping was not there when it was to be opened */
	uint64_t size; /* when it was last asked for */
};

/* A few, round robin: regions of one file stand close together, and a process may map 65,000 files. */
#define BACKINGS 16
/* Where files have to stay open, because their process may end. */
#define BACKINGS_MANY 256
struct backings {
	struct backing items[BACKINGS_MANY];
	bool many; /* set before the first file is opened */
	unsigned next;
	struct leases leases; /* as they are before the first file is opened */
};
void backings_done(struct backings *backings);

/* Close all files: the regions that they belong to are not valid any more. */
void backings_close(struct backings *backings);

/* The backing of a region that has an inode; never NULL, valid until the next call. The region must stay. */
const struct backing *backing_of(struct backings *backings, struct pidmem_process *process,
				 const struct pidmem_region *region);

/* Open the file of a region, for backing_of(): a descriptor, or -1 with errno. *regular is set if it is known to be a
 * regular file, *gone if the region is not mapped so at the moment, as far as that can be seen. */
int backing_open(const struct pidmem_process *process, const struct pidmem_region *region, bool *regular, bool *gone);

/* The status of the file behind a region that has one with a name, without opening it: no lease is broken, no list of
 * locks is read. */
struct stat;
bool backing_stat(const struct pidmem_process *process, const struct pidmem_region *region, struct stat *status);

/* Open a file by its name alone, if it is a regular one: 0 with BACKING_OPEN and its state, or -errno; -EINVAL if it is
 * no regular file. To be closed by the caller. */
int backing_open_named(struct backing *backing, const char *path, struct stat *status);

uint64_t backing_size_now(const struct backing *backing);

/*
 * What does the file hold from `offset` on? Returns the number of bytes that are alike, up to `size`: a hole (*hole
 * true: zeros) of at least `least` bytes, or what has to be read. 0 past the end of the file, where the last page
 * counts as whole. What is read cannot be mistaken; the answer about a file that is being cut can, so that only holes
 * worth it are skipped.
 */
uint64_t backing_extent(const struct backing *backing, uint64_t offset, uint64_t size, uint64_t least, bool *hole);

/* Read up to `size` bytes, but not beyond the file's last page: the number of bytes, 0 past it, or -errno. */
ssize_t backing_read(const struct backing *backing, uint64_t offset, void *bytes, size_t size);

#endif
