/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cells: equal parts of the address space, of which only those are kept that hold something. They come in the order of
 * addresses; when they become too many they are made twice as large, so that memory is bounded whatever there is.
 */
#ifndef SURVEY_CELLS_H
#define SURVEY_CELLS_H

#include "pidmem.h"

struct cell {
	struct pidmem_survey_cell told;
	uint64_t sampled; /* blocks of which the entropy is known */
};

struct cells {
	struct cell *cells;
	size_t count, most;
	uint64_t size; /* of each: a power of two */
};

/* 0 or -ENOMEM. */
int cells_init(struct cells *cells, size_t most, uint64_t size);
void cells_done(struct cells *cells);

/* The cell of an address, which is not below that of the last call; `region` if it is a new one. Valid until the next
 * call. */
struct cell *cells_at(struct cells *cells, uint64_t address, size_t region);

/* How many of `size` bytes from `address` on are in one cell. */
static inline uint64_t cells_within(const struct cells *cells, uint64_t address, uint64_t size)
{
	uint64_t left = cells->size - (address & (cells->size - 1));

	return size < left ? size : left;
}

void cell_add_entropy(struct cell *cell, double entropy, uint64_t blocks);

#endif
