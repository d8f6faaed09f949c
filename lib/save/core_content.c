/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The content of a core file, part by part of the plan; all of the address space is told to the account. */
#include <string.h>

#include "base/error.h"
#include "format/vsyscall.h"
#include "save/core.h"
#include "sink/pack.h"
#include "source/source.h"

/* Zeros that a stream gets before cancel is asked for again. */
#define ZEROS (16ULL << 20)

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

/* What the store holds is in its place already, and all else there is zeros. */
static int write_placed(struct core *core, const struct core_part *part, const struct pidmem_span *span,
			struct pidmem_error *error)
{
	uint64_t offset = part->offset + (span->start - part->start);

	return span->bytes ? file_write_at(&core->file, span->bytes, span->size, offset, error) : 0;
}

/* Zeros stand for what has no bytes, as in the kernel's cores; the account says what they are. */
static int save_span(struct core *core, const struct core_part *part, const struct pidmem_span *span,
		     struct pidmem_error *error)
{
	int result = pidmem_account_add(core->account, span, error);
	if (result < 0)
		return result;
	if (part->placed)
		result = write_placed(core, part, span, error);
	else if (span->class_ != PIDMEM_READ)
		return skip(core, span, error);
	else
		result = file_write(&core->file, span->bytes, span->size, error);
	if (result == 0 && watch_is_cancelled(&core->watch, span))
		return file_cancelled(error);
	return result;
}

/* As much as the limits allow: what is not saved any more is told as such. */
static int save_limited(struct core *core, const struct core_part *part, struct pidmem_span span,
			struct pidmem_error *error)
{
	bool in_place = part->placed && !span.bytes, takes_room = span.class_ == PIDMEM_READ && !in_place;
	struct pidmem_span piece;

	while (span.size) {
		int result = limits_cut(&core->limits, &core->file, takes_room, &span, error, &piece);
		if (result > 0 && !part->placed)
			walk_stop_reading(core->walk);
		if (result >= 0)
			result = save_span(core, part, &piece, error);
		if (result < 0)
			return result;
	}
	return 0;
}

static unsigned how_to_walk(const struct core *core, const struct core_part *part)
{
	if (part->placed)
		return WALK_PASS_OVER_STORED;
	return core->limits.reached ? PIDMEM_WALK_STATES : 0;
}

static int save_content(struct core *core, const struct core_part *part, struct pidmem_error *error)
{
	unsigned char page[VSYSCALL_SIZE];
	struct pidmem_span span;
	int result;

	walk_move(core->walk, part->start, part->file_size, how_to_walk(core, part));
	while ((result = pidmem_walk_next(core->walk, error, &span)) == 1) {
		if (is_open_vsyscall(&span)) {
			vsyscall_fill(page);
			span.class_ = PIDMEM_READ;
			span.why = PIDMEM_WHY_NONE;
			span.bytes = page;
		}
		if ((result = save_limited(core, part, span, error)) < 0)
			break;
	}
	return result;
}

/*
 * What is not in the file, because it is known to be zero: but there can be guard pages in it. What a process that runs
 * on has written to since the plan was made counts as left out by the rules that led to the plan; what a copy lacks,
 * and was not saved either, is lost. A file tells itself what it lacks.
 */
static int count_known(struct core *core, const struct core_part *part, struct pidmem_error *error)
{
	struct pidmem_span span;
	int result;

	walk_move(core->walk, part->start + part->file_size, part->size - part->file_size, PIDMEM_WALK_STATES);
	while ((result = pidmem_walk_next(core->walk, error, &span)) == 1) {
		bool lost = span.class_ == PIDMEM_UNREADABLE && source_is_copy(core->source);
		if (!core->source->recorded && span.class_ != PIDMEM_ZERO && span.class_ != PIDMEM_NO_CONTENT &&
		    !lost) {
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

int core_write_content(struct core *core, struct pidmem_error *error)
{
	int result = pidmem_walk_open(core->source, 0, UINT64_MAX, 0, error, &core->walk);

	if (result == 0 && core->file.pack)
		walk_read_at_most(core->walk, PACK_PIECE);
	if (result == 0 && core->watch.rate)
		walk_read_at_most(core->walk, core->watch.rate / 8);
	for (size_t i = 0; i < core->plan.count && result >= 0; i++) {
		const struct core_part *part = &core->plan.parts[i];
		if (part->file_size)
			result = save_content(core, part, error);
		if (result >= 0 && part->file_size < part->size)
			result = part->known || core->source->recorded ? count_known(core, part, error)
								       : count_left_out(core, part, error);
	}
	return result < 0 ? result : 0;
}
