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

/* The first run of pages in a range: 1, 0 if there is none, -errno. */
static int first_run(struct pidmem_source *source, uint64_t address, uint64_t size, struct pidmem_page_run *run,
		     struct pidmem_error *error)
{
	AUTO_PAGES pages = NULL;
	int result = pidmem_pages_open(source->process, address, size, error, &pages);

	return result < 0 ? result : pidmem_pages_next(pages, error, run);
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
		       uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), page_rest = page - address % page;
	struct pidmem_page_run run;

	if (!source_still_maps(source, region, address, &limit)) {
		set(span, PIDMEM_NO_CONTENT, PIDMEM_WHY_UNMAPPED, limit);
		return 1;
	}
	int found = first_run(source, address, limit, &run, error);
	if (found <= 0) {
		span->size = limit;
		return found;
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
