/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "save/limits.h"

#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "sink/file.h"
#include "sink/pack.h"
#include "source/span.h"

/* Less room than this is none: of what is compressed each piece becomes a frame of its own. */
#define LEAST 4096
#define LEAST_PACKED (64U << 10)

void limits_init(struct limits *limits, uint64_t size, uint64_t time_us, bool partial)
{
	*limits = (struct limits){ .size = size, .end_us = time_us ? now_us() + time_us : 0, .partial = partial };
}

static int fail_limit(struct pidmem_error *error, int result)
{
	return with_hint(error, result, "allow more, leave out regions with -R, or keep what there is with --partial");
}

static int fail_size(const struct limits *limits, struct pidmem_error *error)
{
	return fail_limit(error, fail(error, PIDMEM_LIMIT, EFBIG, "more than the %.1f MiB that were allowed",
				      (double)limits->size / (1 << 20)));
}

static bool is_late(const struct limits *limits)
{
	return limits->end_us && now_us() >= limits->end_us;
}

/* What is in the file, or will be at most: what is being compressed may not become smaller. */
static uint64_t used(const struct limits *limits, const struct file_sink *file)
{
	uint64_t pending = file->pack ? pack_pending(file->pack) : 0;

	return limits->before + limits->reserve + file->stored + pending + pending / 128;
}

static int measure(const struct limits *limits, struct file_sink *file, uint64_t size, struct pidmem_error *error,
		   uint64_t *room)
{
	uint64_t least = file->pack ? LEAST_PACKED : LEAST, in_use = used(limits, file);

	if (file->pack && in_use + size > limits->size) {
		int result = pack_flush(file->pack, file, error);
		if (result < 0)
			return result;
		in_use = used(limits, file);
	}
	uint64_t left = in_use < limits->size ? limits->size - in_use : 0;
	left -= file->pack ? left / 128 : 0;
	*room = size < left ? size : left < least ? 0 : left & ~(uint64_t)(LEAST - 1);
	return 0;
}

/* How many of `size` bytes may be written now? At a limit 0. */
static int find_room(struct limits *limits, struct file_sink *file, uint64_t size, struct pidmem_error *error,
		     uint64_t *out)
{
	uint64_t room = limits->reached ? 0 : size;
	int result = 0;

	if (limits->partial && is_late(limits))
		room = 0;
	else if (is_late(limits))
		return fail_limit(error, fail(error, PIDMEM_LIMIT, ETIME, "not done in the time that was allowed"));
	else if (limits->size && limits->partial)
		result = room ? measure(limits, file, size, error, &room) : 0;
	else if (limits->size && limits->before + file->stored + (file->pack ? 0 : size) > limits->size)
		return fail_size(limits, error);
	if (result < 0)
		return result;
	limits->reached |= room == 0;
	*out = room;
	return 0;
}

int limits_cut(struct limits *limits, struct file_sink *file, bool takes_room, struct pidmem_span *rest,
	       struct pidmem_error *error, struct pidmem_span *piece)
{
	*piece = *rest;
	int result = takes_room ? find_room(limits, file, rest->size, error, &piece->size) : 0;

	if (result < 0)
		return result;
	bool left_out = piece->size == 0;
	if (left_out) {
		piece->size = rest->size;
		piece->class_ = PIDMEM_UNREADABLE;
		piece->why = PIDMEM_WHY_LIMIT;
		piece->bytes = NULL;
	}
	span_skip(rest, piece->size);
	return left_out;
}

int limits_check(const struct limits *limits, const struct file_sink *file, struct pidmem_error *error)
{
	return limits->size && limits->before + file->stored > limits->size ? fail_size(limits, error) : 0;
}
