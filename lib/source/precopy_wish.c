/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which memory is copied while the process runs. */
#include "process/coredump.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* How much of it, from its start on, the rules of core files can come to want. Flags are those of the list with all
 * details, which is older. Nothing is asked of the file: it takes too long in the stop. */
static uint64_t rule(const struct precopy *precopy, const struct pidmem_region *region)
{
	const struct frozen *frozen = precopy->frozen;
	const struct pidmem_region *listed = pidmem_maps_find(frozen->live->maps, region->start);
	struct pidmem_region plain = *region;
	uint64_t size = region->size;
	struct coredump_facts facts;

	if (!frozen->freeze->options.core)
		return region->size;
	bool same = listed && region_still_maps(listed, region, region->start, &size);
	plain.perms &= ~PIDMEM_PERM_READ;
	coredump_gather(precopy->process, &plain, same ? listed->usage : NULL, &facts);
	facts.written = true;
	if (coredump_rule(&facts, frozen->filter) == COREDUMP_WHOLE)
		return region->size;
	return facts.file && region->offset == 0 && frozen->filter & COREDUMP_ELF_HEADERS ? precopy->store.page_size
											  : 0;
}

bool precopy_is_private(const struct pidmem_region *region)
{
	return region->kind != PIDMEM_KIND_SHARED && region->kind != PIDMEM_KIND_VDSO;
}

uint64_t precopy_bytes_in(const struct pidmem_region *region)
{
	if (region->kind != PIDMEM_KIND_FILE)
		return region->resident;
	return region->usage ? region->usage->anonymous : 0;
}

bool precopy_is_vdso(const struct pidmem_region *region)
{
	return region_is_vdso(region) && !process_vdso_is_own(region);
}

bool precopy_wants(const struct precopy *precopy, const struct pidmem_region *region, uint64_t at, uint64_t *size)
{
	uint64_t run, wished, from = at - region->start;

	if (region->kind == PIDMEM_KIND_SHARED || (region->kind == PIDMEM_KIND_VDSO && !precopy_is_vdso(region)))
		return false;
	wished = precopy_is_vdso(region) ? region->size : rule(precopy, region);
	if (from >= wished)
		return false;
	*size = wished - from < *size ? wished - from : *size;
	bool selected = pidmem_select_test(precopy->frozen->freeze->options.select, region, at, &run);
	*size = run < *size ? run : *size;
	return selected;
}

bool precopy_wants_some(const struct precopy *precopy, const struct pidmem_region *region)
{
	for (uint64_t done = 0, size; done < region->size; done += size) {
		size = region->size - done;
		if (precopy_wants(precopy, region, region->start + done, &size))
			return true;
	}
	return false;
}

/* The kernel divides a huge page that is protected in part. */
#define HUGE_PAGE (2ULL << 20)

bool precopy_next_stretch(const struct precopy *precopy, const struct pidmem_region *region, uint64_t from,
			  uint64_t *start, uint64_t *end)
{
	uint64_t limit = region->start + region->size, size;

	if (!precopy_is_private(region))
		return false;
	for (uint64_t at = from; at < limit; at += size) {
		size = limit - at;
		if (!precopy_wants(precopy, region, at, &size))
			continue;
		*start = at;
		*end = at + size;
		if (region->kind == PIDMEM_KIND_FILE) /* copies of its pages are small ones */
			return true;
		*start &= ~(HUGE_PAGE - 1);
		*start = *start > from ? *start : from;
		size = (HUGE_PAGE - *end % HUGE_PAGE) % HUGE_PAGE;
		*end += size < limit - *end ? size : limit - *end;
		return true;
	}
	return false;
}
