/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/core_origins.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "format/origins.h"
#include "process/maps.h"
#include "source/recorded.h"
#include "source/source.h"

/* Time stamps of files are those of a tick, 10 ms at most: a file that changed a moment ago may change again unseen. */
#define STAMP_NS 20000000LL

struct origins_draft {
	struct buffer files, ranges;
	const struct pidmem_region *last; /* of which the last file is */
	uint32_t last_file;
};

static void draft_done(struct origins_draft *draft)
{
	buffer_done(&draft->files);
	buffer_done(&draft->ranges);
}

static bool is_settled(const struct stat *status)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - status->st_ctim.tv_sec) * 1000000000LL + now.tv_nsec - status->st_ctim.tv_nsec > STAMP_NS;
}

/* The number of the file; ORIGIN_UNKNOWN: nothing proves later that it is the same one, but a build-id. */
static int add_file(struct origins_draft *draft, struct pidmem_source *source, const struct pidmem_region *region,
		    uint32_t *number)
{
	struct stat status;

	*number = ORIGIN_UNKNOWN;
	if (!backing_stat(source->process, region, &status) || !is_settled(&status))
		return 0;
	struct origin_file file = {
		.device = status.st_dev,
		.inode = status.st_ino,
		.size = (uint64_t)status.st_size,
		.modified = status.st_mtim.tv_sec,
		.changed = status.st_ctim.tv_sec,
		.modified_ns = (uint32_t)status.st_mtim.tv_nsec,
		.changed_ns = (uint32_t)status.st_ctim.tv_nsec,
	};
	*number = (uint32_t)(draft->files.size / sizeof file);
	return buffer_append(&draft->files, &file, sizeof file);
}

static bool is_of_last(const struct origins_draft *draft, const struct pidmem_region *region)
{
	const struct pidmem_region *last = draft->last;

	return last && last->inode == region->inode && last->dev_major == region->dev_major &&
	       last->dev_minor == region->dev_minor && !strcmp(last->path, region->path);
}

/* Has the process no pages of its own there, and is all of it in the file? */
static bool is_in_file(struct pidmem_source *source, const struct pidmem_region *region)
{
	const struct pidmem_usage *usage;

	if (region->kind != PIDMEM_KIND_FILE || !region_has_named_file(region))
		return false;
	usage = source_usage(source, region);
	return usage && !usage->anonymous && !usage->swap && !(usage->flags & (PIDMEM_VM_IO | PIDMEM_VM_PFNMAP));
}

static int add_part(struct origins_draft *draft, struct pidmem_source *source, const struct core_part *part)
{
	struct origin_range range = { .start = part->start + part->file_size, .size = part->size - part->file_size };

	if (!range.size || part->known || !is_in_file(source, part->region))
		return 0;
	if (!is_of_last(draft, part->region) && add_file(draft, source, part->region, &draft->last_file) < 0)
		return -ENOMEM;
	draft->last = part->region;
	range.file = draft->last_file;
	return buffer_append(&draft->ranges, &range, sizeof range);
}

/* A core that is converted goes on to tell. */
static int copy_table(const struct recorded *recorded, struct buffer *out)
{
	const struct elf_segment *table = &recorded->headers.origins;
	AUTO_FREE char *bytes = NULL;

	if (!recorded->facts.origins.bytes)
		return 0;
	int result = reader_copy(&recorded->content->reader, table->offset, table->file_size, &bytes);
	return result < 0 ? result : buffer_append(out, bytes, table->file_size);
}

int core_origins_add(struct buffer *out, struct pidmem_source *source, const struct core_plan *plan)
{
	CLEANUP(draft_done) struct origins_draft draft = { 0 };

	if (source->recorded)
		return copy_table(source->recorded, out);
	for (size_t i = 0; i < plan->count; i++)
		if (add_part(&draft, source, &plan->parts[i]) < 0)
			return -ENOMEM;
	return origins_add(out, &draft.files, &draft.ranges);
}
