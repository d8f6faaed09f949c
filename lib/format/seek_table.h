/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the frames of a zstd file are: from its seek table (zstd's contrib/seekable_format), or from the headers of the
 * frames and blocks themselves (RFC 8878), which takes one small read for each block.
 */
#ifndef FORMAT_SEEK_TABLE_H
#define FORMAT_SEEK_TABLE_H

#include "base/cleanup.h"
#include "format/reader.h"

/* The table is a skippable frame, and its last bytes, by which it is found, end with the second number. */
#define SEEK_TABLE_MAGIC 0x184d2a5eU
#define SEEKABLE_MAGIC 0x8f92eab1U
#define SEEK_TABLE_FOOT 9

struct zstd_frame {
	uint64_t offset;   /* in the file */
	uint64_t position; /* of its content */
	bool unsized;      /* the frame before does not tell how large its content is: it is told as empty */
};

struct seek_table {
	struct zstd_frame *frames; /* one more than there are: where the last one ends */
	size_t count, capacity;
	bool seekable;   /* the file has a table of its own */
	bool unsized;    /* some of them do not tell how large their content is */
	bool incomplete; /* the file ends within the last frame */
};
void seek_table_done(struct seek_table *table);
#define AUTO_SEEK_TABLE CLEANUP(seek_table_done) struct seek_table

/* Is it zstd by its first bytes? */
bool seek_table_is_zstd(const struct byte_reader *reader);

/* 0; -EBADMSG if it cannot be true, -ENOMEM. */
int seek_table_read(struct seek_table *table, const struct byte_reader *reader);

/* The frame that holds a position of the content, which must be below the end of the last one. */
size_t seek_table_find(const struct seek_table *table, uint64_t position);

#endif
