/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/process.h"
#include "source/recorded.h"

uint64_t source_expected(struct pidmem_source *source)
{
	struct pidmem_maps *maps;
	uint64_t sum = 0;

	if (source->recorded)
		return recorded_saved_size(source);
	if (!source->select)
		return process_memory_used(source->target);
	if (pidmem_maps_read(source->target, PIDMEM_MAPS_RESIDENCE, NULL, &maps) < 0)
		return 0;
	for (size_t i = 0; i < pidmem_maps_count(maps); i++) {
		const struct pidmem_region *region = pidmem_maps_get(maps, i);
		if (pidmem_select_test(source->select, region, region->start, NULL))
			sum += region->resident + region->swapped;
	}
	pidmem_maps_free(maps);
	return sum;
}
