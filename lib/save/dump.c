/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The raw dump: spans become ranges of a file and lines of its index. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "process/process.h"
#include "save/dump.h"
#include "sink/pack.h"
#include "sink/watch.h"
#include "source/source.h"

/* A known-zero range of this size or more takes no room in the file. */
#define ZERO_LINE (1ULL << 20)

/* A range of one region that is being put together. */
struct range {
	uint64_t start, size;
	uint64_t offset;
};

struct dump {
	struct dump_target *target;
	const struct pidmem_region *region; /* of the ranges below */
	struct range data;                  /* goes into the file */
	struct range zeros;                 /* behind `data`: not decided yet */
};

static int write_line(struct dump *dump, const struct range *range, enum pidmem_class class_, enum pidmem_why why,
		      struct pidmem_error *error)
{
	const struct pidmem_region *region = dump->region;
	struct index_entry entry = {
		.start = range->start,
		.size = range->size,
		.class_ = class_,
		.why = why,
		.offset = range->offset,
		.perms = region->perms,
		.deleted = region->deleted,
		.path = region->path,
		.path_size = region->path_size,
		.has_region = true,
		.region = region->start,
		.kind = region->kind,
		.mapped_offset = region->offset,
		.inode = region->inode,
		.dev_major = region->dev_major,
		.dev_minor = region->dev_minor,
	};
	return dump_target_line(dump->target, &entry, error);
}

/* What follows cannot join the data range. */
static int end_data(struct dump *dump, struct pidmem_error *error)
{
	struct range data = dump->data;

	dump->data = (struct range){ 0 };
	return data.size ? write_line(dump, &data, PIDMEM_READ, PIDMEM_WHY_NONE, error) : 0;
}

static int begin_data(struct dump *dump, uint64_t address, struct pidmem_error *error)
{
	if (dump->data.size)
		return 0;
	dump->data.start = address;
	return dump_target_content(dump->target, dump->region, &dump->data.offset, error);
}

/* Decide on zeros once it is known how many they are: a hole in the data, or a line of their own. */
static int end_zeros(struct dump *dump, struct pidmem_error *error)
{
	struct range zeros = dump->zeros;
	int result;

	dump->zeros = (struct range){ 0 };
	if (zeros.size == 0)
		return 0;
	if (zeros.size >= ZERO_LINE) {
		result = end_data(dump, error);
		return result < 0 ? result : write_line(dump, &zeros, PIDMEM_ZERO, PIDMEM_WHY_NONE, error);
	}
	result = begin_data(dump, zeros.start, error);
	dump->data.size += zeros.size;
	return result < 0 ? result : file_skip(&dump->target->data, zeros.size, error);
}

static int end_ranges(struct dump *dump, struct pidmem_error *error)
{
	int result = end_zeros(dump, error);

	return result < 0 ? result : end_data(dump, error);
}

static int add_content(struct dump *dump, const struct pidmem_span *span, struct pidmem_error *error)
{
	int result = end_zeros(dump, error);

	if (result < 0 || (result = begin_data(dump, span->start, error)) < 0)
		return result;
	dump->data.size += span->size;
	return file_write(&dump->target->data, span->bytes, span->size, error);
}

static int add_span(struct dump *dump, const struct pidmem_span *span, struct pidmem_error *error)
{
	int result = 0;

	if (dump->region && span->region != dump->region)
		result = end_ranges(dump, error);
	if (result < 0)
		return result;
	dump->region = span->region;
	switch (span->class_) {
	case PIDMEM_READ:
		return add_content(dump, span, error);
	case PIDMEM_ZERO:
		if (dump->zeros.size == 0)
			dump->zeros.start = span->start;
		dump->zeros.size += span->size;
		return 0;
	default:
		result = end_ranges(dump, error);
		return result < 0 ? result
				  : write_line(dump, &(struct range){ span->start, span->size, 0 }, span->class_,
					       span->why, error);
	}
}

/* As much of a span as the limits allow: what is not saved any more is told as such. */
static int add_limited(struct dump *dump, struct pidmem_walk *walk, struct pidmem_span span,
		       struct pidmem_account *account, struct pidmem_error *error)
{
	struct dump_target *target = dump->target;
	struct pidmem_span piece;

	while (span.size) {
		int result =
			limits_cut(&target->limits, &target->data, span.class_ == PIDMEM_READ, &span, error, &piece);
		if (result > 0)
			walk_stop_reading(walk);
		if (result >= 0)
			result = pidmem_account_add(account, &piece, error);
		if (result == 0)
			result = add_span(dump, &piece, error);
		if (result < 0)
			return result;
	}
	return 0;
}

static int write_spans(struct pidmem_source *source, struct watch *watch, struct dump *dump,
		       struct pidmem_account *account, struct pidmem_error *error)
{
	AUTO_WALK walk = NULL;
	struct pidmem_span span;
	int result = pidmem_walk_open(source, 0, UINT64_MAX, 0, error, &walk);

	if (result == 0 && dump->target->zstd)
		walk_read_at_most(walk, PACK_PIECE);
	if (result == 0 && watch->rate)
		walk_read_at_most(walk, watch->rate / 8);
	while (result >= 0 && (result = pidmem_walk_next(walk, error, &span)) == 1) {
		if ((result = add_limited(dump, walk, span, account, error)) < 0)
			return result;
		/* Of what was not saved, nothing was read. */
		if (dump->target->limits.reached)
			span.class_ = PIDMEM_ZERO;
		if (watch_is_cancelled(watch, &span))
			return file_cancelled(error);
	}
	return result < 0 || !dump->region ? result : end_ranges(dump, error);
}

int pidmem_dump(struct pidmem_source *source, const struct pidmem_dump_options *given, struct pidmem_account *account,
		struct pidmem_error *error, struct pidmem_dump_report *out)
{
	uint64_t begun = now_us();
	AUTO_DUMP_TARGET target = DUMP_TARGET_INIT;
	struct dump dump = { .target = &target };
	struct pidmem_dump_options options;
	struct watch watch;
	int result = options_take(&options, sizeof options, given, error);

	if (result < 0 || (result = options_check_room(out, error)) < 0)
		return result;
	if (!options.path == !options.split)
		return fail(error, PIDMEM_USAGE, EINVAL, "a dump needs either a file or a directory");
	watch_init(&watch, options.progress, options.user);
	watch_file(&watch, &target.data);
	watch_hold_back(&watch, options.rate);
	limits_init(&target.limits, options.max_size, options.max_time_us, options.partial);
	if (options.progress)
		watch.state.expected = source_expected(source);
	if ((result = dump_target_open(&target, &options, error)) < 0 ||
	    (result = write_spans(source, &watch, &dump, account, error)) < 0 ||
	    (options.release && (result = pidmem_source_release(source, error)) < 0) ||
	    (result = dump_target_finish(&target, error)) < 0)
		return result;
	struct pidmem_dump_report written = {
		.apparent = target.apparent,
		.on_disk = target.on_disk,
		.elapsed_us = now_us() - begun,
		.indexed = !target.data.stream,
		.content = target.content,
	};
	options_give(out, &written, sizeof written);
	return 0;
}
