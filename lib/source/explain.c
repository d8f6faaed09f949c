/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a page could not be read: from what the kernel says of it now. */
#include <string.h>

#include "process/maps.h"
#include "process/pages.h"
#include "process/process.h"
#include "source/source.h"

static void set(struct pidmem_span *span, enum pidmem_class class_, enum pidmem_why why, uint64_t size)
{
	span->class_ = class_;
	span->why = why;
	span->size = size;
}

/* Is the first byte of [address, address + *size) still mapped? If not, *size becomes what is not. */
static bool still_mapped(struct pidmem_source *source, uint64_t address, uint64_t *size)
{
	uint64_t start, length;

	if (process_mapping_at(source->process, address, &start, &length) != 1)
		return false;
	if (start <= address)
		return true;
	if (start - address < *size)
		*size = start - address;
	return false;
}

/* The first run of pages in a range, if any. */
static bool first_run(struct pidmem_source *source, uint64_t address, uint64_t size, struct pidmem_page_run *run)
{
	AUTO_PAGES pages = NULL;

	return pidmem_pages_open(source->process, address, size, NULL, &pages) == 0 &&
	       pidmem_pages_next(pages, NULL, run) == 1;
}

/* The page is there, and yet the kernel does not hand it out. */
static enum pidmem_why refusal(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (!strcmp(region->path, "/secretmem"))
		return PIDMEM_WHY_SECRET;
	if (!(region->perms & PIDMEM_PERM_READ)) /* proc_mem.force_override, Linux 6.12 */
		return PIDMEM_WHY_PERMS;
	if (source_flags(source, region) & (PIDMEM_VM_UFFD_MISSING | PIDMEM_VM_UFFD_WP | PIDMEM_VM_UFFD_MINOR))
		return PIDMEM_WHY_POISONED; /* UFFDIO_POISON, Linux 6.6 */
	return PIDMEM_WHY_IO;
}

int explain_unreadable(struct pidmem_source *source, const struct pidmem_region *region, uint64_t address,
		       uint64_t limit, struct pidmem_span *span)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), page_rest = page - address % page;
	struct pidmem_page_run run;

	if (!still_mapped(source, address, &limit)) {
		set(span, PIDMEM_NO_CONTENT, PIDMEM_WHY_UNMAPPED, limit);
		return 1;
	}
	if (!first_run(source, address, limit, &run)) {
		span->size = limit;
		return 0;
	}
	if (run.start > address) {
		span->size = run.start - address < limit ? run.start - address : limit;
		return 0;
	}
	uint64_t rest = run.start + run.size - address;
	if (run.flags & PIDMEM_PAGE_GUARD) {
		set(span, PIDMEM_NO_CONTENT, PIDMEM_WHY_GUARD, rest < limit ? rest : limit);
		return 1;
	}
	enum pidmem_why why = refusal(source, region);
	if (why != PIDMEM_WHY_SECRET) /* the next page may be another case */
		limit = page_rest < limit ? page_rest : limit;
	set(span, PIDMEM_UNREADABLE, why, limit);
	return 1;
}
