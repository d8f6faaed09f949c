/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The core file: headers, notes, content, and the note about it all, in this order and without going back, so that it
 * can be written into a pipe.
 */
#include <elf.h>
#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "format/elf_headers.h"
#include "format/origins.h"
#include "process/coredump.h"
#include "process/process.h"
#include "save/core.h"
#include "save/core_convert.h"
#include "save/core_origins.h"
#include "save/core_record.h"
#include "save/core_tables.h"
#include "sink/pack.h"
#include "source/precopy.h"
#include "source/source.h"

static void core_done(struct core *core)
{
	pidmem_walk_close(core->walk);
	buffer_done(&core->notes);
	buffer_done(&core->tables);
	buffer_done(&core->origins);
	core_plan_done(&core->plan);
	file_close(&core->file);
}
#define AUTO_CORE CLEANUP(core_done) struct core

static struct elf_segment notes_segment(uint64_t offset, uint64_t size)
{
	return (struct elf_segment){ .type = PT_NOTE, .offset = offset, .file_size = size, .align = 4 };
}

static struct elf_segment part_segment(const struct core_part *part)
{
	uint32_t perms = part->region->perms;

	return (struct elf_segment){
		.type = PT_LOAD,
		.flags = (perms & PIDMEM_PERM_READ ? PF_R : 0) | (perms & PIDMEM_PERM_WRITE ? PF_W : 0) |
			 (perms & PIDMEM_PERM_EXEC ? PF_X : 0),
		.offset = part->offset,
		.file_size = part->file_size,
		.start = part->start,
		.size = part->size,
		.align = CORE_ALIGNMENT,
	};
}

static size_t segment_count(const struct core *core)
{
	return core->plan.count + 4;
}

/* The headers of a file whose content ends at `end`. */
static int make_headers(const struct core *core, uint64_t end, struct buffer *headers)
{
	size_t count = segment_count(core), n = 0;
	AUTO_FREE struct elf_segment *segments = calloc(count, sizeof *segments);

	if (!segments)
		return -ENOMEM;
	uint64_t offset = elf_headers_size(core->kind.is_64, count);
	segments[n++] = notes_segment(offset, core->notes.size);
	segments[n++] = (struct elf_segment){
		.type = PIDMEM_SEGMENT, .offset = offset + core->notes.size, .file_size = core->tables.size, .align = 4
	};
	segments[n++] = (struct elf_segment){ .type = ORIGINS_SEGMENT,
					      .offset = offset + core->notes.size + core->tables.size,
					      .file_size = core->origins.size,
					      .align = 4 };
	for (size_t i = 0; i < core->plan.count; i++)
		segments[n++] = part_segment(&core->plan.parts[i]);
	segments[n++] = notes_segment(end, core_record_size());
	return elf_headers_add(headers, core->kind.is_64, core->kind.machine, segments, count,
			       end + core_record_size());
}

static uint64_t head_size(const struct core *core)
{
	return core_align(elf_headers_size(core->kind.is_64, segment_count(core)) + core->notes.size +
			  core->tables.size + core->origins.size);
}

/* What was copied while the process ran becomes the file, if there is room for the head before it. Returns 1 if so. */
static int adopt(struct core *core)
{
	struct store *store = core->source->precopy ? &core->source->precopy->store : NULL;

	if (!store || core->file.stream || core->file.pack || core->limits.size)
		return 0;
	if (core_plan_place(&core->plan, store) < 0)
		return -ENOMEM;
	/* Not what would make the file too large for 32 bits: it has places for mappings that have gone as well. */
	bool fits = head_size(core) <= store->head && (core->kind.is_64 || store->end <= UINT32_MAX);
	if (fits && store_give(store, &core->file))
		return 1;
	for (size_t i = 0; i < core->plan.count; i++)
		core->plan.parts[i].placed = false;
	return 0;
}

/* What comes behind the content, and where that is compressed, frames of zeros and the table of all frames. */
static uint64_t reserve_for_end(const struct core *core, uint64_t end)
{
	return (64U << 10) + (core->file.pack ? end / PACK_FRAME * 128 : 0);
}

/* Of 60,000 regions each of them has some MiB. */
static int write_away(struct core *core, struct buffer *part, struct pidmem_error *error)
{
	int result = file_write(&core->file, part->bytes, part->size, error);

	buffer_done(part);
	return result;
}

static int write_head(struct core *core, struct pidmem_error *error)
{
	AUTO_BUFFER headers = { 0 };
	int adopted = adopt(core);
	uint64_t begin = adopted > 0 ? core->source->precopy->store.end : head_size(core);
	uint64_t end = core_lay_out(&core->plan, begin);

	if (adopted < 0 || make_headers(core, end, &headers) < 0)
		return fail_memory(error);
	if (!core->kind.is_64 && end > UINT32_MAX)
		return with_hint(error,
				 fail(error, PIDMEM_UNSUPPORTED, EFBIG,
				      "a 32-bit core file cannot have 4 GiB: this one would have 0x%llx bytes",
				      (unsigned long long)end),
				 "leave out regions with -R");
	core->limits.reserve = reserve_for_end(core, end);
	if (adopted > 0) /* it was read already */
		core->watch.rate = 0;
	struct buffer *parts[] = { &headers, &core->notes, &core->tables, &core->origins, NULL };
	uint64_t rest = begin;
	int result = 0;
	for (struct buffer **part = parts; *part && result == 0; part++) {
		rest -= (*part)->size;
		result = write_away(core, *part, error);
	}
	return result < 0 ? result : file_skip(&core->file, rest, error);
}

static int write_tail(struct core *core, struct pidmem_error *error)
{
	AUTO_BUFFER tail = { 0 };
	struct pidmem_freeze_report freeze = PIDMEM_INIT(freeze);
	int result = source_report(core->source, error, &freeze);

	if (result < 0)
		return result;
	freeze.threads = core->threads;
	size_t omitted = 0;
	result = core_record_add(&tail, &freeze, core->account, &omitted);
	if (result == 0 && elf_count_is_extended(segment_count(core)))
		result = elf_extended_count_add(&tail, core->kind.is_64, segment_count(core));
	if (result == 0 && omitted)
		result = core_holes_add(&tail, core->account);
	return result < 0 ? fail_memory(error) : file_write(&core->file, tail.bytes, tail.size, error);
}

static int prepare(struct core *core, const struct pidmem_core_options *options, struct pidmem_error *error)
{
	AUTO_REGIONS_TABLE regions = { 0 };
	unsigned filter = options->filter;
	int result = 0;

	if (core->source->recorded && (filter || options->all))
		return with_hint(error,
				 fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP,
				      "what is in a file is not chosen by the rules for cores any more"),
				 "choose regions instead");
	if (core->source->recorded)
		result = core_convert(core->source, &core->notes, &core->plan, error, &core->kind, &core->threads);
	else if (!(filter & PIDMEM_CORE_FILTER))
		result = source_filter(core->source, error, &filter);
	if (result == 0 && !core->source->recorded)
		result = core_notes_add(&core->notes, &regions, core->source, error, &core->kind, &core->threads);
	if (result == 0 && !core->source->recorded)
		result = core_plan_make(&core->plan, core->source, filter, options->all, error);
	if (result == 0 && core_tables_add(&core->tables, &regions, core->source, &core->plan) < 0)
		return fail_memory(error);
	int added = result == 0 ? core_origins_add(&core->origins, core->source, &core->plan) : 0;
	if (added < 0)
		return fail_sys(error, -added, "cannot tell which files hold what is left out");
	core->watch.state.expected = core->plan.expected;
	return result;
}

static int open_file(struct core *core, const struct pidmem_core_options *options, struct pidmem_error *error)
{
	watch_init(&core->watch, options->progress, options->user);
	watch_file(&core->watch, &core->file);
	watch_hold_back(&core->watch, options->rate);
	limits_init(&core->limits, options->max_size, options->max_time_us, options->partial);
	int result = options->path ? file_open(&core->file, options->path, options->force, error)
				   : file_open_stream(&core->file, options->fd, "the stream", error);
	return result < 0 || !options->zstd ? result : pack_begin(&core->file, options->zstd, error);
}

static int write_all(struct core *core, bool release, struct pidmem_error *error)
{
	int result = write_head(core, error);

	if (result == 0)
		result = core_write_content(core, error);
	if (result == 0 && release)
		result = pidmem_source_release(core->source, error);
	if (result == 0)
		result = write_tail(core, error);
	if (result == 0)
		result = file_complete(&core->file, error);
	return result < 0 ? result : limits_check(&core->limits, &core->file, error);
}

int pidmem_core(struct pidmem_source *source, const struct pidmem_core_options *given, struct pidmem_account *account,
		struct pidmem_error *error, struct pidmem_core_report *out)
{
	uint64_t begun = now_us();
	AUTO_CORE core = { .source = source, .account = account, .file = FILE_SINK_INIT };
	struct pidmem_core_options options;
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0 || (result = options_check_room(out, error)) < 0)
		return result;
	if ((result = open_file(&core, &options, error)) < 0 || (result = prepare(&core, &options, error)) < 0 ||
	    (result = write_all(&core, options.release, error)) < 0)
		return result;
	struct pidmem_core_report written = {
		.apparent = file_length(&core.file),
		.on_disk = file_on_disk(&core.file),
		.segments = core.plan.count,
		.threads = core.threads,
		.content = core.file.size,
	};
	if ((result = file_name(&core.file, error)) < 0)
		return result;
	written.elapsed_us = now_us() - begun;
	options_give(out, &written, sizeof written);
	return 0;
}
