/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mapped at one address, now. */
#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "process/kernel.h"
#include "process/maps.h"
#include "process/process.h"

bool region_still_maps(const struct pidmem_region *now, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size)
{
	bool mapped = now->start <= address;
	uint64_t rest = mapped ? now->size - (address - now->start) : now->start - address;

	*size = rest < *size ? rest : *size;
	return mapped && now->inode == region->inode && now->dev_major == region->dev_major &&
	       now->dev_minor == region->dev_minor &&
	       (region->inode == 0 ||
		now->offset + (address - now->start) == region->offset + (address - region->start));
}

int process_still_maps(struct pidmem_process *process, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size)
{
	struct procmap_query question = { .query_addr = address };
	int found = process_query(process, &question);

	if (found <= 0)
		return found;
	struct pidmem_region now = {
		.start = question.vma_start,
		.size = question.vma_end - question.vma_start,
		.offset = question.vma_offset,
		.inode = question.inode,
		.dev_major = question.dev_major,
		.dev_minor = question.dev_minor,
	};
	return region_still_maps(&now, region, address, size);
}

uint64_t process_own_vdso_size(void)
{
	const ElfW(Ehdr) *header =
		(const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR); /* NOLINT(performance-no-int-to-ptr) */
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	/* The table of sections is the last thing in it. */
	return header ? (header->e_shoff + (uint64_t)header->e_shnum * header->e_shentsize + page - 1) & ~(page - 1)
		      : 0;
}
