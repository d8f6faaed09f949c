/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which files hold what a core leaves out: a table of pidmem's, in a segment of a type of its own. Its ranges belong to
 * private mappings of which the process had no page of its own, so that the file alone tells what was there, if it is
 * the same one still. Numbers in the byte order of the file:
 *
 *   head     version 1, numbers of the entries that follow
 *   files    struct origin_file
 *   ranges   struct origin_range, by address
 */
#ifndef FORMAT_ORIGINS_H
#define FORMAT_ORIGINS_H

#include "base/buffer.h"
#include "format/regions_table.h"

#define ORIGINS_SEGMENT (PIDMEM_SEGMENT + 1)

/* As stat(2) has it. */
struct origin_file {
	uint64_t device, inode, size;
	int64_t modified, changed; /* seconds */
	uint32_t modified_ns, changed_ns;
};

struct origin_range {
	uint64_t start, size;
	uint32_t file; /* or ORIGIN_UNKNOWN: it could not be looked at */
	uint32_t unused;
};
#define ORIGIN_UNKNOWN UINT32_MAX

/* Writing: append the table; of one that is empty, or would be too large to be read, nothing. */
int origins_add(struct buffer *out, const struct buffer *files, const struct buffer *ranges);

/* Reading; begin with zeros. */
struct origins {
	const struct origin_file *files;
	const struct origin_range *ranges;
	size_t file_count, range_count;
	char *bytes; /* what all of that is in */
};
void origins_done(struct origins *origins);
#define AUTO_ORIGINS CLEANUP(origins_done) struct origins

/* 0, -EBADMSG if it cannot be true, -ENOMEM, -EIO. */
int origins_read(struct origins *origins, const struct byte_reader *reader, uint64_t offset, uint64_t size);

#endif
