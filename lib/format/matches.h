/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file of matches that were saved, to be narrowed later: made for tens of millions of them, which lie close together.
 *
 *   head     "PMFOUND1", the type of the values (enum pidmem_value_type) and 0x01020304, in 32 bits each
 *   entries  by address: how far it is from the last one, and how many bytes (both in groups of seven bits, the lowest
 *            first, with bit 7 set on all but the last); the bytes
 *   end      two zeros in place of the numbers of an entry; how many entries there were, in 64 bits
 */
#ifndef FORMAT_MATCHES_H
#define FORMAT_MATCHES_H

#include "base/buffer.h"
#include "format/reader.h"
#include "pidmem.h"

#define MATCHES_LARGEST 65536 /* bytes of a match */

/* Writing: each appends to `out`; 0 or -ENOMEM. */
int matches_put_head(struct buffer *out, enum pidmem_value_type type);
int matches_put(struct buffer *out, uint64_t distance, const void *bytes, size_t size);
int matches_put_end(struct buffer *out, uint64_t count);

struct saved_match {
	uint64_t address;
	size_t size;
	const unsigned char *bytes; /* until the next one is asked for */
};

struct matches_reader {
	const struct byte_reader *reader;
	enum pidmem_value_type type;
	uint64_t offset; /* of what comes next to be read from the file */
	uint64_t address, count;
	bool ended;
	unsigned char *piece;
	size_t at, end; /* within `piece` */
};
void matches_reader_done(struct matches_reader *reader);

/* 0, -EBADMSG if it is no such file, -ENOMEM; to be ended anyway. */
int matches_begin(struct matches_reader *matches, const struct byte_reader *reader);
/* 1, 0 at the end, -EBADMSG if what is there cannot be true. */
int matches_next(struct matches_reader *matches, struct saved_match *match);

#endif
