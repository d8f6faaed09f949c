/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "survey/cells.h"

#include <errno.h>
#include <stdlib.h>

int cells_init(struct cells *cells, size_t most, uint64_t size)
{
	*cells = (struct cells){ .most = most, .size = size };
	cells->cells = calloc(most, sizeof *cells->cells);
	return cells->cells ? 0 : -ENOMEM;
}

void cells_done(struct cells *cells)
{
	free(cells->cells);
}

void cell_add_entropy(struct cell *cell, double entropy, uint64_t blocks)
{
	if (!blocks)
		return;
	double before = cell->sampled ? cell->told.entropy * (double)cell->sampled : 0;

	cell->sampled += blocks;
	cell->told.entropy = (before + entropy * (double)blocks) / (double)cell->sampled;
}

static void join(struct cell *to, const struct cell *from)
{
	to->told.read += from->told.read;
	to->told.zero += from->told.zero;
	to->told.unreadable += from->told.unreadable;
	to->told.resident += from->told.resident;
	to->told.swapped += from->told.swapped;
	to->told.looked += from->told.looked;
	to->told.zeros += from->told.zeros;
	to->told.text += from->told.text;
	to->told.high += from->told.high;
	to->told.pointers += from->told.pointers;
	to->told.changed += from->told.changed;
	to->told.uncompared += from->told.uncompared;
	cell_add_entropy(to, from->told.entropy, from->sampled);
	if (!to->told.sample_size) {
		to->told.sample_start = from->told.sample_start;
		to->told.sample_size = from->told.sample_size;
		__builtin_memcpy(to->told.sample, from->told.sample, sizeof to->told.sample);
	}
}

static void make_larger(struct cells *cells)
{
	size_t kept = 0;

	cells->size *= 2;
	for (size_t i = 0; i < cells->count; i++) {
		struct cell *cell = &cells->cells[i];

		cell->told.start &= ~(cells->size - 1);
		cell->told.size = cells->size;
		if (kept && cells->cells[kept - 1].told.start == cell->told.start)
			join(&cells->cells[kept - 1], cell);
		else
			cells->cells[kept++] = *cell;
	}
	cells->count = kept;
}

struct cell *cells_at(struct cells *cells, uint64_t address, size_t region)
{
	while (true) {
		uint64_t start = address & ~(cells->size - 1);

		if (cells->count && cells->cells[cells->count - 1].told.start == start)
			return &cells->cells[cells->count - 1];
		if (cells->count < cells->most) {
			struct cell *cell = &cells->cells[cells->count++];

			*cell = (struct cell){
				.told = { .start = start, .size = cells->size, .region = region, .entropy = -1 }
			};
			return cell;
		}
		make_larger(cells);
	}
}
