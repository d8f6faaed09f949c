/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the bytes of a block look like. */
#ifndef SURVEY_BLOCKS_H
#define SURVEY_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK 4096U

/* Where a word may point to: addresses below 2^47, by a bit for each GiB in which something is mapped. */
struct mapped {
	uint64_t lowest, highest; /* the last byte */
	uint64_t bits[(1UL << (47 - 30)) / 64];
};

/* Bytes of each sort among those that were looked at, and of aligned words which may be pointers. */
struct block_facts {
	uint16_t size, looked, zeros, text, high, pointers;
	float entropy; /* in bits for each byte; below 0: not looked at */
};

struct block_reader {
	const struct mapped *mapped;
	unsigned every; /* the entropy of one of so many blocks is looked at, and the bytes of four times as many */
	bool first;     /* and that of the first block: nothing is known of its cell yet */
	float terms[BLOCK + 1]; /* n * log2(n) */
};

void block_reader_init(struct block_reader *reader, const struct mapped *mapped);

/* Look at `size` bytes from `address` on; facts for each of the blocks, the last of which may be short. */
void blocks_read(const struct block_reader *reader, uint64_t address, const unsigned char *bytes, size_t size,
		 struct block_facts *facts);

#endif
