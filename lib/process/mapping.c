/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mapped at one address, now. */
#include <sys/auxv.h>

#include "process/kernel.h"
#include "process/maps.h"
#include "process/process.h"

/* The long way for kernels without PROCMAP_QUERY. */
static int mapping_from_list(struct pidmem_process *process, uint64_t address, uint64_t *start, uint64_t *size)
{
	struct pidmem_maps *maps;

	if (pidmem_maps_read(process, 0, NULL, &maps) < 0)
		return 0;
	const struct pidmem_region *region = pidmem_maps_find_next(maps, address);
	if (region) {
		*start = region->start;
		*size = region->size;
	}
	pidmem_maps_free(maps);
	return region != NULL;
}

int process_mapping_at(struct pidmem_process *process, uint64_t address, uint64_t *start, uint64_t *size)
{
	struct procmap_query question = { .query_addr = address };
	int found = process_query(process, &question);

	if (found < 0)
		return mapping_from_list(process, address, start, size);
	*start = question.vma_start;
	*size = question.vma_end - question.vma_start;
	return found;
}

int process_still_maps(struct pidmem_process *process, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size)
{
	struct procmap_query question = { .query_addr = address };
	int found = process_query(process, &question);

	if (found <= 0)
		return found;
	bool mapped = question.vma_start <= address;
	uint64_t rest = (mapped ? question.vma_end : question.vma_start) - address;
	*size = rest < *size ? rest : *size;
	return mapped && question.inode == region->inode && question.dev_major == region->dev_major &&
	       question.dev_minor == region->dev_minor;
}

bool process_own_vdso(uint64_t *start, uint64_t *size)
{
	uint64_t address = getauxval(AT_SYSINFO_EHDR);
	AUTO_PROCESS self = NULL;

	return address && pidmem_process_open(getpid(), NULL, NULL, &self) == 0 &&
	       process_mapping_at(self, address, start, size) == 1 && *start == address;
}
