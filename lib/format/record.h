/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the note that tells how a core file came about and what it lacks: JSON. save/core_record.c writes it. */
#ifndef FORMAT_RECORD_H
#define FORMAT_RECORD_H

#include "base/cleanup.h"
#include "format/reader.h"
#include "pidmem.h"

/* "PMEM", in the manner of NT_FILE: a number that means nothing else to readers that look at types alone. */
#define RECORD_TYPE 0x504d454d
/* readelf -n prints each byte of it, blanks too. What is unreadable comes first, so that it is there in most cases; all
 * holes are in a table (format/holes_table.h) where there is no room. */
#define RECORD_SIZE 2048

struct record {
	char *text; /* the JSON itself, without the blanks behind it */
	enum pidmem_consistency consistency;
	enum pidmem_engine engine;
	char *fallback; /* or NULL */
	uint64_t pause_us;
	bool paused; /* pause_us is told */
	uint64_t threads, unstopped;
	struct pidmem_hole *holes; /* by address, none overlapping another */
	size_t hole_count;
	uint64_t omitted; /* holes for which there was no room */
};
void record_done(struct record *record);

/* 0, -EBADMSG if it cannot be true, -ENOMEM, -EIO. */
int record_read(struct record *record, const struct byte_reader *reader, uint64_t offset, uint64_t size);

#endif
