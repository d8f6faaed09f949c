/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "find/stream.h"

#include <errno.h>
#include <string.h>

/* Smaller pieces are copied together until there is so much. */
#define ENOUGH (256UL << 10)

/* Two neighbouring places of a window: all that matches at the seam depend on. */
static size_t edge(const struct stream *stream)
{
	return stream->ahead + stream->behind;
}

int stream_init(struct stream *stream, size_t ahead, size_t behind, bool zeros)
{
	*stream = (struct stream){ .ahead = ahead, .behind = behind, .zeros = zeros };
	stream->held.room = 2 * ENOUGH + 4 * edge(stream);
	stream->held.bytes = malloc(stream->held.room);
	return stream->held.bytes ? 0 : -ENOMEM;
}

void stream_done(struct stream *stream)
{
	free(stream->held.bytes);
}

bool stream_continues(const struct stream *stream, uint64_t address)
{
	return stream->held.size == 0 || stream->held.address + stream->held.size == address;
}

void stream_give(struct stream *stream, uint64_t address, const unsigned char *bytes, uint64_t size)
{
	if (stream->held.size == 0)
		stream->held.address = address;
	stream->piece.bytes = bytes;
	stream->piece.address = address;
	stream->piece.size = size;
	stream->piece.taken = 0;
}

void stream_end(struct stream *stream)
{
	stream->next = STREAM_END;
}

static uint64_t left(const struct stream *stream)
{
	return stream->piece.size - stream->piece.taken;
}

static void hold(struct stream *stream, size_t size)
{
	unsigned char *to = stream->held.bytes + stream->held.size;

	if (stream->piece.bytes)
		memcpy(to, stream->piece.bytes + stream->piece.taken, size);
	else
		memset(to, 0, size);
	stream->held.size += size;
	stream->piece.taken += size;
}

/* All that is held, but for matches at its end that may need more. */
static bool look_at_held(struct stream *stream, struct stretch *stretch)
{
	size_t from = stream->held.from, size = stream->held.size, to;

	if (size < stream->ahead + from)
		return false;
	to = size - stream->ahead + 1;
	*stretch = (struct stretch){ { stream->held.bytes, size, stream->held.address, false }, from, to };
	stream->held.from = to;
	return true;
}

static bool take_some(struct stream *stream, struct stretch *stretch)
{
	uint64_t size = left(stream), room = stream->held.room - edge(stream) - stream->held.size;
	bool large = size >= 4 * edge(stream);

	if (large && !stream->piece.bytes && !stream->zeros) {
		stream->next = STREAM_JUMP;
		size = edge(stream);
	} else if (large && stream->piece.bytes && size >= ENOUGH) {
		stream->next = STREAM_IN_PLACE;
		size = edge(stream);
	} else {
		size = size < room ? size : room;
		if (stream->held.size + size < ENOUGH + edge(stream)) {
			hold(stream, size);
			return false;
		}
		stream->next = STREAM_COMPACT;
	}
	hold(stream, size);
	return look_at_held(stream, stretch);
}

static void compact(struct stream *stream)
{
	size_t gone = stream->held.from > stream->behind ? stream->held.from - stream->behind : 0;

	stream->held.size -= gone;
	stream->held.from -= gone;
	stream->held.address += gone;
	memmove(stream->held.bytes, stream->held.bytes + gone, stream->held.size);
}

/* Of the piece, what was not looked at with the seam. */
static void look_at_piece(const struct stream *stream, struct stretch *stretch)
{
	size_t size = (size_t)(stream->piece.size), begin = stream->held.size - (size_t)stream->piece.taken;

	*stretch = (struct stretch){ { stream->piece.bytes, size, stream->piece.address, false },
				     stream->held.from - begin,
				     size - stream->ahead + 1 };
}

/* Hold the end of the piece alone: all before it is done. */
static void hold_tail(struct stream *stream)
{
	size_t size = edge(stream) - 1;

	stream->held.size = 0;
	stream->piece.taken = stream->piece.size - size;
	stream->held.address = stream->piece.address + stream->piece.taken;
	stream->held.from = stream->behind;
	hold(stream, size);
}

/* What is left of the run. */
static bool look_at_end(struct stream *stream, struct stretch *stretch)
{
	size_t from = stream->held.from, size = stream->held.size;

	*stretch = (struct stretch){ { stream->held.bytes, size, stream->held.address, true }, from, size };
	stream->held.from = stream->held.size = 0;
	return from < size;
}

bool stream_next(struct stream *stream, struct stretch *stretch)
{
	enum stream_step step;

	while ((step = stream->next) != STREAM_TAKE || left(stream)) {
		stream->next = STREAM_TAKE;
		switch (step) {
		case STREAM_TAKE:
			if (take_some(stream, stretch))
				return true;
			break;
		case STREAM_COMPACT:
			compact(stream);
			break;
		case STREAM_IN_PLACE:
			look_at_piece(stream, stretch);
			stream->next = STREAM_TAIL;
			return true;
		case STREAM_TAIL:
		case STREAM_JUMP:
			hold_tail(stream);
			break;
		case STREAM_END:
			if (look_at_end(stream, stretch))
				return true;
			break;
		}
	}
	return false;
}
