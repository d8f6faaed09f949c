/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mapped at one address, now. */
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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

/* A file that is mapped, by the link that the kernel keeps for it: needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
static bool stat_linked(const struct pidmem_process *process, const struct pidmem_region *region, struct stat *status)
{
	char link[64];

	snprintf(link, sizeof link, "map_files/%" PRIx64 "-%" PRIx64, region->start, region->start + region->size);
	return fstatat(process->memory_dir, link, status, 0) == 0;
}

/* By its name in the target's view; another file may have that name by now. */
static bool stat_named(const struct pidmem_process *process, const struct pidmem_region *region, struct stat *status)
{
	AUTO_FREE char *path = NULL;

	if (region->deleted || region->path[0] != '/' || asprintf(&path, "root%s", region->path) < 0)
		return false;
	return fstatat(process->memory_dir, path, status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       status->st_ino == region->inode && major(status->st_dev) == region->dev_major &&
	       minor(status->st_dev) == region->dev_minor;
}

bool process_stat_mapped(const struct pidmem_process *process, const struct pidmem_region *region, struct stat *status)
{
	return stat_linked(process, region, status) || stat_named(process, region, status);
}

static uint64_t own_vdso_size(void)
{
	const ElfW(Ehdr) *header =
		(const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR); /* NOLINT(performance-no-int-to-ptr) */
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	/* The table of sections is the last thing in it. */
	return header ? (header->e_shoff + (uint64_t)header->e_shnum * header->e_shentsize + page - 1) & ~(page - 1)
		      : 0;
}

bool process_vdso_is_own(const struct pidmem_region *region)
{
	uint64_t own = getauxval(AT_SYSINFO_EHDR);

	return region_is_vdso(region) && region->size == own_vdso_size() &&
	       (region->start > UINT32_MAX) == (own > UINT32_MAX);
}
