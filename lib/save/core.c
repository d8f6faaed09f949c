/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The core file: headers, notes, content, and the note about it all, in this order and without going back, so that it
 * can be written into a pipe.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "format/elf_headers.h"
#include "format/vsyscall.h"
#include "process/coredump.h"
#include "process/process.h"
#include "save/core_notes.h"
#include "save/core_plan.h"
#include "save/core_record.h"
#include "save/watch.h"
#include "sink/file.h"
#include "source/source.h"

/* ELF_EXEC_PAGESIZE of x86 and arm64: content begins at multiples of it. */
#define ALIGNMENT 4096
/* Zeros that a stream gets before cancel is asked for again. */
#define ZEROS (16ULL << 20)

struct core {
	struct pidmem_source *source;
	struct pidmem_account *account;
	struct file_sink file;
	struct watch watch;
	struct core_plan plan;
	struct core_kind kind;
	struct buffer notes;
	size_t threads;
	struct pidmem_walk *walk;
};

static void core_done(struct core *core)
{
	pidmem_walk_close(core->walk);
	buffer_done(&core->notes);
	core_plan_done(&core->plan);
	file_close(&core->file);
}
#define AUTO_CORE CLEANUP(core_done) struct core

/* ------------------------------------------------------------------------------------------- headers --- */

static uint64_t align(uint64_t offset)
{
	return (offset + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

static struct elf_segment notes_segment(uint64_t offset, uint64_t size)
{
	return (struct elf_segment){ .type = PT_NOTE, .offset = offset, .file_size = size, .align = 4 };
}

static struct elf_segment part_segment(const struct core_part *part, uint64_t offset)
{
	uint32_t perms = part->region->perms;

	return (struct elf_segment){
		.type = PT_LOAD,
		.flags = (perms & PIDMEM_PERM_READ ? PF_R : 0) | (perms & PIDMEM_PERM_WRITE ? PF_W : 0) |
			 (perms & PIDMEM_PERM_EXEC ? PF_X : 0),
		.offset = offset,
		.file_size = part->file_size,
		.start = part->start,
		.size = part->size,
		.align = ALIGNMENT,
	};
}

static size_t segment_count(const struct core *core)
{
	return core->plan.count + 2;
}

/* Everything before the content: *end is where that will end. */
static int make_head(const struct core *core, struct buffer *head, uint64_t *end)
{
	size_t count = segment_count(core), n = 0;
	AUTO_FREE struct elf_segment *segments = calloc(count, sizeof *segments);
	uint64_t offset = elf_headers_size(core->kind.is_64, count);

	if (!segments)
		return -ENOMEM;
	segments[n++] = notes_segment(offset, core->notes.size);
	offset = align(offset + core->notes.size);
	for (size_t i = 0; i < core->plan.count; i++) {
		segments[n++] = part_segment(&core->plan.parts[i], offset);
		offset += core->plan.parts[i].file_size;
	}
	*end = offset;
	segments[n++] = notes_segment(offset, core_record_size());
	int result = elf_headers_add(head, core->kind.is_64, core->kind.machine, segments, count,
				     offset + core_record_size());
	return result < 0 ? result : buffer_append(head, core->notes.bytes, core->notes.size);
}

static int write_head(struct core *core, struct pidmem_error *error)
{
	AUTO_BUFFER head = { 0 };
	uint64_t end;

	if (make_head(core, &head, &end) < 0)
		return fail_memory(error);
	if (!core->kind.is_64 && end > UINT32_MAX)
		return with_hint(error,
				 fail(error, PIDMEM_UNSUPPORTED, EFBIG,
				      "a 32-bit core file cannot have 4 GiB: this one would have 0x%llx bytes",
				      (unsigned long long)end),
				 "leave out regions with -R");
	int result = file_write(&core->file, head.bytes, head.size, error);
	return result < 0 ? result : file_skip(&core->file, align(head.size) - head.size, error);
}

/* ------------------------------------------------------------------------------------------- content --- */

static int skip(struct core *core, const struct pidmem_span *span, struct pidmem_error *error)
{
	int result = 0;

	for (uint64_t left = span->size, piece; left && result == 0; left -= piece) {
		piece = core->file.stream && left > ZEROS ? ZEROS : left;
		result = file_skip(&core->file, piece, error);
		if (result == 0 && watch_is_cancelled(&core->watch, span))
			result = file_cancelled(error);
	}
	return result;
}

/* Can the page be read by the process itself? Then the kernel has it in its cores. */
static bool is_open_vsyscall(const struct pidmem_span *span)
{
	return !strcmp(span->region->path, "[vsyscall]") && span->region->perms & PIDMEM_PERM_READ &&
	       span->region->size == VSYSCALL_SIZE && span->size == VSYSCALL_SIZE;
}

/* Zeros stand for what has no bytes, as in the kernel's cores; the account says what they are. */
static int save_span(struct core *core, const struct pidmem_span *span, struct pidmem_error *error)
{
	int result = pidmem_account_add(core->account, span, error);
	if (result < 0)
		return result;
	if (span->class_ != PIDMEM_READ)
		return skip(core, span, error);
	result = file_write(&core->file, span->bytes, span->size, error);
	if (result == 0 && watch_is_cancelled(&core->watch, span))
		return file_cancelled(error);
	return result;
}

static int save_content(struct core *core, const struct core_part *part, struct pidmem_error *error)
{
	unsigned char page[VSYSCALL_SIZE];
	struct pidmem_span span;
	int result;

	walk_move(core->walk, part->start, part->file_size, 0);
	while ((result = pidmem_walk_next(core->walk, error, &span)) == 1) {
		if (is_open_vsyscall(&span)) {
			vsyscall_fill(page);
			span.class_ = PIDMEM_READ;
			span.why = PIDMEM_WHY_NONE;
			span.bytes = page;
		}
		if ((result = save_span(core, &span, error)) < 0)
			break;
	}
	return result;
}

/*
 * What is not in the file, because it is known to be zero: but there can be guard pages in it. What was written to
 * since the plan was made (of a process that runs on), and what a copy lacks, counts as left out by the rules that led
 * to the plan.
 */
static int count_known(struct core *core, const struct core_part *part, struct pidmem_error *error)
{
	struct pidmem_span span;
	int result;

	walk_move(core->walk, part->start + part->file_size, part->size - part->file_size, PIDMEM_WALK_STATES);
	while ((result = pidmem_walk_next(core->walk, error, &span)) == 1) {
		if (span.class_ != PIDMEM_ZERO && span.class_ != PIDMEM_NO_CONTENT) {
			span.class_ = PIDMEM_EXCLUDED;
			span.why = PIDMEM_WHY_DUMP_RULES;
		}
		if ((result = pidmem_account_add(core->account, &span, error)) < 0)
			return result;
		if (watch_is_cancelled(&core->watch, &span))
			return file_cancelled(error);
	}
	return result;
}

static int count_left_out(struct core *core, const struct core_part *part, struct pidmem_error *error)
{
	struct pidmem_span span = {
		.start = part->start + part->file_size,
		.size = part->size - part->file_size,
		.class_ = PIDMEM_EXCLUDED,
		.why = part->why,
		.region = part->region,
	};
	int result = pidmem_account_add(core->account, &span, error);

	return result == 0 && watch_is_cancelled(&core->watch, &span) ? file_cancelled(error) : result;
}

static int write_content(struct core *core, struct pidmem_error *error)
{
	int result = pidmem_walk_open(core->source, 0, UINT64_MAX, 0, error, &core->walk);

	for (size_t i = 0; i < core->plan.count && result >= 0; i++) {
		const struct core_part *part = &core->plan.parts[i];
		if (part->file_size)
			result = save_content(core, part, error);
		if (result >= 0 && part->file_size < part->size)
			result = part->known ? count_known(core, part, error) : count_left_out(core, part, error);
	}
	return result < 0 ? result : 0;
}

static int write_tail(struct core *core, struct pidmem_error *error)
{
	AUTO_BUFFER tail = { 0 };
	struct pidmem_freeze_report freeze = PIDMEM_INIT(freeze);
	int result = source_report(core->source, error, &freeze);

	if (result < 0)
		return result;
	freeze.threads = core->threads;
	result = core_record_add(&tail, &freeze, core->account);
	if (result == 0 && elf_count_is_extended(segment_count(core)))
		result = elf_extended_count_add(&tail, core->kind.is_64, segment_count(core));
	return result < 0 ? fail_memory(error) : file_write(&core->file, tail.bytes, tail.size, error);
}

/* ----------------------------------------------------------------------------------------------- all --- */

static int prepare(struct core *core, const struct pidmem_core_options *options, struct pidmem_error *error)
{
	unsigned filter = options->filter;
	int result = 0;

	if (!(filter & PIDMEM_CORE_FILTER))
		result = coredump_filter_read(core->source->process, error, &filter);
	if (result == 0)
		result = core_notes_add(&core->notes, core->source, error, &core->kind, &core->threads);
	if (result == 0)
		result = core_plan_make(&core->plan, core->source, filter, options->all, error);
	core->watch.state.expected = core->plan.expected;
	return result;
}

static int open_file(struct core *core, const struct pidmem_core_options *options, struct pidmem_error *error)
{
	watch_init(&core->watch, options->progress, options->user, &core->file);
	return options->path ? file_open(&core->file, options->path, options->force, error)
			     : file_open_stream(&core->file, options->fd, "the stream", error);
}

static int write_all(struct core *core, struct pidmem_error *error)
{
	int result = write_head(core, error);

	if (result == 0)
		result = write_content(core, error);
	if (result == 0)
		result = write_tail(core, error);
	return result < 0 ? result : file_complete(&core->file, error);
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
	    (result = write_all(&core, error)) < 0)
		return result;
	struct pidmem_core_report written = {
		.apparent = core.file.size,
		.on_disk = file_on_disk(&core.file),
		.elapsed_us = now_us() - begun,
		.segments = core.plan.count,
		.threads = core.threads,
	};
	if ((result = file_name(&core.file, error)) < 0)
		return result;
	options_give(out, &written, sizeof written);
	return 0;
}
