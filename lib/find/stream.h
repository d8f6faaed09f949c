/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Windows from pieces of contiguous memory, so that nothing is lost where two of them meet: the end of each piece is
 * held until what follows is there, or it is known that nothing does. Large pieces are looked at where they are.
 */
#ifndef FIND_STREAM_H
#define FIND_STREAM_H

#include "find/pattern.h"

/* What stream_next() does next. */
enum stream_step {
	STREAM_TAKE,     /* hold some of the piece */
	STREAM_COMPACT,  /* forget what is done of what is held */
	STREAM_IN_PLACE, /* the seam is done: the piece itself */
	STREAM_TAIL,     /* the piece is done: hold its end */
	STREAM_JUMP,     /* zeros: go to their end */
	STREAM_END,      /* of the run: what is held is all */
};

struct stream {
	size_t ahead;  /* bytes that are needed from the beginning of a match on, its context included */
	size_t behind; /* bytes before it */
	bool zeros;    /* zeros alone can match */
	enum stream_step next;
	struct {
		unsigned char *bytes;
		size_t size, room;
		size_t from; /* from here on nothing has been looked at */
		uint64_t address;
	} held;
	struct {
		const unsigned char *bytes; /* NULL: zeros */
		uint64_t address, size, taken;
	} piece;
};

/* A part of a window that can be looked at. */
struct stretch {
	struct window window;
	size_t from, to;
};

/* 0 or -ENOMEM; to be ended anyway. */
int stream_init(struct stream *stream, size_t ahead, size_t behind, bool zeros);
void stream_done(struct stream *stream);

/* Does a piece at this address follow on the last? Else stream_end() has to come before it. */
bool stream_continues(const struct stream *stream, uint64_t address);
/* Give it a piece, which must stay until stream_next() has returned false; `bytes` are NULL for zeros. */
void stream_give(struct stream *stream, uint64_t address, const unsigned char *bytes, uint64_t size);
/* Nothing contiguous follows. */
void stream_end(struct stream *stream);
/* The next stretch to be looked at: false if there is none until more is given. */
bool stream_next(struct stream *stream, struct stretch *stretch);

#endif
