/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory in blocks, as libyara takes it. */
#ifndef FIND_RULES_BLOCKS_H
#define FIND_RULES_BLOCKS_H

#include "find/find.h"
#include "find/yara.h"

struct blocks {
	YR_MEMORY_BLOCK_ITERATOR iterator; /* its context is this */
	YR_MEMORY_BLOCK block;             /* the one that is given; so is the context of this */
	struct pidmem_find *find;
	const struct yara *yara;
	YR_SCANNER *scanner;
	unsigned char *bytes;
	uint64_t held; /* the address of what is in `bytes` */
	struct block {
		uint64_t address;
		size_t size;
	} * list;
	size_t count, capacity, at;
	struct pidmem_span span;
	uint64_t taken; /* of the span */
	bool cut;       /* the last block did not end where its memory does */
	bool listed;    /* all have been read once */
	int64_t begun;  /* seconds, of CLOCK_MONOTONIC */
	int result;     /* why reading has failed */
	struct pidmem_error error;
};

/* 0 or -ENOMEM; to be ended anyway. */
int blocks_init(struct blocks *blocks, struct pidmem_find *find, const struct yara *yara, YR_SCANNER *scanner);
void blocks_done(struct blocks *blocks);

/* Read again what was read: [address, address + size), into `bytes`. *from is the first byte, at most `address`, from
 * which on all is there up to the result; a negative result is an -errno. */
ssize_t blocks_read_again(struct pidmem_find *find, uint64_t start, size_t size, size_t place, unsigned char *bytes,
			  struct pidmem_error *error, size_t *from);

#endif
