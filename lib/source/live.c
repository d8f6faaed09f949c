/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The live source: what is known of the regions of a running process. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "process/maps.h"
#include "process/pages.h"
#include "process/process.h"
#include "source/source.h"

void pidmem_source_close(struct pidmem_source *source)
{
	if (!source)
		return;
	backings_done(&source->backings);
	pidmem_maps_free(source->fresh);
	pidmem_maps_free(source->flag_maps);
	pidmem_maps_free(source->maps);
	free(source);
}
DEFINE_CLEANUP(cleanup_source, struct pidmem_source *, pidmem_source_close)

static int probe_pages(struct pidmem_source *source, struct pidmem_error *error)
{
	AUTO_PAGES pages = NULL;
	int result = pidmem_pages_open(source->process, 0, 1, error, &pages);

	if (result == 0)
		source->cost_by_size = pages_cost_by_size(pages);
	return result;
}

int pidmem_source_refresh(struct pidmem_source *source, struct pidmem_error *error)
{
	struct pidmem_maps *maps;
	int result = pidmem_maps_read(source->process, 0, error, &maps);

	if (result < 0)
		return result;
	pidmem_maps_free(source->maps);
	pidmem_maps_free(source->flag_maps);
	pidmem_maps_free(source->fresh);
	source->maps = maps;
	source->flag_maps = source->fresh = NULL;
	backings_done(&source->backings);
	source->userfaultfd = UFFD_NOT_ASKED;
	return 0;
}

int pidmem_source_open(struct pidmem_process *process, const struct pidmem_source_options *given,
		       struct pidmem_error *error, struct pidmem_source **out)
{
	CLEANUP(cleanup_source) struct pidmem_source *source = NULL;
	struct pidmem_source_options options;
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0)
		return result;
	if (options.consistency != PIDMEM_LIVE)
		return with_hint(
			error,
			fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP,
			     "reading a process %s is not possible with this version",
			     options.consistency == PIDMEM_STOPPED ? "while it is stopped" : "from a snapshot"),
			"read it live: the process runs on while it is read");
	source = calloc(1, sizeof *source);
	if (!source)
		return fail_memory(error);
	source->process = process;
	source->select = options.select;
	/* mem first: it shows whether reading is allowed, and its address space is the one that is meant. */
	if ((result = process_mem(process, error)) < 0 || (result = probe_pages(source, error)) < 0 ||
	    (result = pidmem_source_refresh(source, error)) < 0 ||
	    (source->select && (result = pidmem_select_check(source->select, source->maps, error)) < 0))
		return result;
	*out = take(source);
	return 0;
}

const struct pidmem_maps *pidmem_source_maps(const struct pidmem_source *source)
{
	return source->maps;
}

/* What smaps says of a region, at most so long ago; NULL if it cannot be had. */
static const struct pidmem_usage *usage_of(struct pidmem_source *source, const struct pidmem_region *region,
					   uint64_t age_us)
{
	struct pidmem_maps *maps;

	if (!source->flag_maps || now_us() - source->flags_us > age_us) {
		if (pidmem_maps_read(source->process, PIDMEM_MAPS_USAGE, NULL, &maps) < 0)
			return NULL;
		pidmem_maps_free(source->flag_maps);
		source->flag_maps = maps;
		source->flags_us = now_us();
	}
	const struct pidmem_region *found = pidmem_maps_find(source->flag_maps, region->start);
	return found ? found->usage : NULL;
}

uint32_t source_flags(struct pidmem_source *source, const struct pidmem_region *region)
{
	const struct pidmem_usage *usage = usage_of(source, region, UINT64_MAX);

	/* Unknown: the worst is assumed, so that the memory of a device is never read by mistake. */
	return usage ? usage->flags : PIDMEM_VM_IO;
}

bool source_is_empty(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (!source->cost_by_size || region->size <= 1ULL << 30)
		return false;
	const struct pidmem_usage *usage = usage_of(source, region, 1000000);
	return usage && usage->rss + usage->swap + usage->shared_hugetlb + usage->private_hugetlb == 0;
}

/* Up to here smaps costs a few milliseconds and gives the answer itself. */
static bool is_small(const struct pidmem_source *source)
{
	return source->maps->count <= 2000 && process_memory_used(source->process) <= 256ULL << 20;
}

bool source_is_uffd_missing(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (source->userfaultfd == UFFD_NOT_ASKED)
		source->userfaultfd =
			is_small(source) || process_userfaultfd_may_exist(source->process) ? UFFD_PERHAPS : UFFD_NONE;
	return source->userfaultfd == UFFD_PERHAPS && source_flags(source, region) & PIDMEM_VM_UFFD_MISSING;
}

static bool starts(const struct pidmem_region *region, const char *prefix)
{
	return !strncmp(region->path, prefix, strlen(prefix));
}

/* Present or not, these pages are never read: the kernel's own data, and memory of devices. */
static enum absent file_absent(struct pidmem_source *source, const struct pidmem_region *region)
{
	enum backing_state state = backing_of(&source->backings, source->process, region)->state;

	if (state == BACKING_OPEN)
		return ABSENT_FILE;
	if (state == BACKING_FAILED)
		return ABSENT_FAILED;
	/* A regular file cannot be device memory; of the rest, smaps tells. */
	if (state == BACKING_UNKNOWN && source_flags(source, region) & (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP))
		return ABSENT_DEVICE;
	return ABSENT_NO_FILE;
}

enum absent source_absent(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (region->kind == PIDMEM_KIND_VDSO)
		return starts(region, "[vdso") ? ABSENT_VDSO : ABSENT_KERNEL;
	if (region->kind == PIDMEM_KIND_FILE || region->kind == PIDMEM_KIND_SHARED)
		return file_absent(source, region);
	return ABSENT_ZERO;
}

enum pidmem_why source_no_file_why(const struct pidmem_region *region)
{
	return region->kind == PIDMEM_KIND_SHARED && !region_has_named_file(region) ? PIDMEM_WHY_SHARED
										    : PIDMEM_WHY_FILE;
}

int source_failure(struct pidmem_source *source, const struct pidmem_region *region, struct pidmem_error *error)
{
	const struct backing *backing = backing_of(&source->backings, source->process, region);
	int number = backing->state == BACKING_FAILED ? backing->error : EAGAIN;

	return with_hint(error, fail_sys(error, number, "cannot open %s", region->path),
			 "raise the limit of open files: ulimit -n");
}

/* Not for each gap: printing 65,000 regions takes the kernel 20 ms. */
static const struct pidmem_maps *fresh_maps(struct pidmem_source *source)
{
	struct pidmem_maps *maps;

	if (source->fresh && now_us() - source->fresh_us < 50000)
		return source->fresh;
	if (pidmem_maps_read(source->process, 0, NULL, &maps) < 0)
		return NULL;
	pidmem_maps_free(source->fresh);
	source->fresh = maps;
	source->fresh_us = now_us();
	return maps;
}

bool source_still_maps(struct pidmem_source *source, const struct pidmem_region *region, uint64_t address,
		       uint64_t *size)
{
	int told = process_still_maps(source->process, region, address, size);

	if (told >= 0)
		return told;
	const struct pidmem_maps *maps = fresh_maps(source);
	const struct pidmem_region *now = maps ? pidmem_maps_find_next(maps, address) : NULL;
	if (!now)
		return !maps; /* the list cannot be had: nothing speaks against it */
	return region_still_maps(now, region, address, size);
}
