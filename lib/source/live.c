/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the regions of a process, running, stopped or copied. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "process/maps.h"
#include "process/pages.h"
#include "process/process.h"
#include "source/recorded.h"
#include "source/source.h"

/* Regions of files up to this size are read through the copy. */
#define FAULT_MAX (16ULL << 20)

void source_free(struct pidmem_source *source)
{
	if (!source)
		return;
	recorded_free(source->recorded);
	backings_done(&source->backings);
	mount_devices_done(&source->devices);
	pidmem_maps_free(source->fresh);
	pidmem_maps_free(source->flag_maps);
	pidmem_maps_free(source->maps);
	free(source);
}

static int probe_pages(struct pidmem_source *source, struct pidmem_error *error)
{
	AUTO_PAGES pages = NULL;
	int result = pidmem_pages_open(source->process, 0, 1, error, &pages);

	if (result == 0)
		source->cost_by_size = pages_cost_by_size(pages);
	return result;
}

int source_open_live(struct pidmem_process *process, const struct pidmem_select *select, struct pidmem_error *error,
		     struct pidmem_source **out)
{
	AUTO_SOURCE source = calloc(1, sizeof *source);
	int result;

	if (!source)
		return fail_memory(error);
	source->process = source->target = process;
	source->select = select;
	/* mem first: it shows whether reading is allowed, and its address space is the one that is meant. */
	if ((result = process_mem(process, error)) < 0 || (result = probe_pages(source, error)) < 0)
		return result;
	*out = take(source);
	return 0;
}

int source_check(const struct pidmem_source *source, struct pidmem_error *error)
{
	return source->released ? fail(error, PIDMEM_USAGE, EINVAL,
				       "process %d (%s) was let go: nothing can be read from this source any more",
				       source->target->pid, source->target->name)
				: 0;
}

void source_take_maps(struct pidmem_source *source, struct pidmem_maps *maps)
{
	pidmem_maps_free(source->maps);
	pidmem_maps_free(source->flag_maps);
	pidmem_maps_free(source->fresh);
	source->maps = maps;
	source->flag_maps = source->fresh = NULL;
	backings_close(&source->backings);
	source->userfaultfd = source_is_copy(source) ? UFFD_NONE : UFFD_NOT_ASKED;
}

int pidmem_source_refresh(struct pidmem_source *source, struct pidmem_error *error)
{
	struct pidmem_maps *maps;
	int result = source_check(source, error);

	if (result < 0 || source_is_still(source) || source->recorded) /* its regions are of one moment */
		return result;
	result = pidmem_maps_read(source->process, 0, error, &maps);
	if (result == 0)
		source_take_maps(source, maps);
	return result;
}

const struct pidmem_maps *pidmem_source_maps(const struct pidmem_source *source)
{
	return source->maps;
}

/* What smaps says of a region, at most so long ago; NULL if it cannot be had. */
static const struct pidmem_usage *usage_of(struct pidmem_source *source, const struct pidmem_region *region,
					   uint64_t age_us)
{
	const struct pidmem_region *found;
	struct pidmem_maps *maps;

	if (age_us == UINT64_MAX && source->maps->usages) {
		found = pidmem_maps_find(source->maps, region->start);
		return found ? found->usage : NULL;
	}
	if (!source->flag_maps || now_us() - source->flags_us > age_us) {
		if (pidmem_maps_read(source->process, PIDMEM_MAPS_USAGE, NULL, &maps) < 0)
			return NULL;
		pidmem_maps_free(source->flag_maps);
		source->flag_maps = maps;
		source->flags_us = now_us();
	}
	found = pidmem_maps_find(source->flag_maps, region->start);
	return found ? found->usage : NULL;
}

const struct pidmem_usage *source_usage(struct pidmem_source *source, const struct pidmem_region *region)
{
	return usage_of(source, region, UINT64_MAX);
}

uint32_t source_flags(struct pidmem_source *source, const struct pidmem_region *region)
{
	const struct pidmem_usage *usage = source_usage(source, region);

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

/* smaps, which gives the answer itself, takes some 20 us for each MiB: as much as a look at one process. */
static bool is_small(const struct pidmem_source *source)
{
	return source->maps->count <= 2000 &&
	       process_memory_used(source->process) >> 20 <= process_count_all(source->process);
}

bool source_is_uffd_missing(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (source->userfaultfd == UFFD_NOT_ASKED)
		source->userfaultfd =
			is_small(source) || process_userfaultfd_may_exist(source->process) ? UFFD_PERHAPS : UFFD_NONE;
	return source->userfaultfd == UFFD_PERHAPS && source_flags(source, region) & PIDMEM_VM_UFFD_MISSING;
}

/*
 * A copy has no pages of files and shared memory in its page tables, even if the target has: fork(2) leaves them out.
 * Through the copy they can be had all the same, where that makes no page that was not there.
 */
static bool can_be_faulted(struct pidmem_source *source, const struct pidmem_region *region)
{
	return source_is_copy(source) && region_has_named_file(region) && !begins(region->path, "/dev/") &&
	       mounts_fault_is_harmless(&source->devices, source->process, region->dev_major, region->dev_minor) &&
	       !(source_flags(source, region) & (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP));
}

/* Present or not, these pages are never read: the kernel's own data, and memory of devices. */
static enum absent file_absent(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (source_is_still(source) && !strcmp(region->path, "/secretmem"))
		return ABSENT_LIVE; /* only the page tables of the target can tell */
	/* No file to be found, opened, compared and closed; but the file tells where the holes of a large one are. */
	if (region->size <= FAULT_MAX && can_be_faulted(source, region))
		return ABSENT_COPY;
	enum backing_state state = backing_of(&source->backings, source->process, region)->state;
	if (state == BACKING_OPEN)
		return ABSENT_FILE;
	if (state == BACKING_FAILED)
		return ABSENT_FAILED;
	/* A regular file cannot be device memory; of the rest, smaps tells. */
	if (state == BACKING_UNKNOWN && source_flags(source, region) & (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP))
		return ABSENT_DEVICE;
	if (can_be_faulted(source, region))
		return ABSENT_COPY;
	return source_is_still(source) ? ABSENT_LIVE : ABSENT_NO_FILE;
}

enum absent source_absent(struct pidmem_source *source, const struct pidmem_region *region)
{
	if (region->kind == PIDMEM_KIND_VDSO && !region_is_vdso(region))
		return ABSENT_KERNEL;
	if (region->kind == PIDMEM_KIND_VDSO) /* our own is not that of a 32-bit program */
		return source_is_copy(source) ? ABSENT_COPY : ABSENT_VDSO;
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
	if (source_is_still(source))
		return true;
	int told = process_still_maps(source->process, region, address, size);

	if (told >= 0)
		return told;
	const struct pidmem_maps *maps = fresh_maps(source);
	const struct pidmem_region *now = maps ? pidmem_maps_find_next(maps, address) : NULL;
	if (!now)
		return !maps; /* the list cannot be had: nothing speaks against it */
	return region_still_maps(now, region, address, size);
}
