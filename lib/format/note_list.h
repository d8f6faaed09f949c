/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going through the notes of a core file. */
#ifndef FORMAT_NOTE_LIST_H
#define FORMAT_NOTE_LIST_H

#include "format/core_headers.h"

struct note {
	char owner[16]; /* what fits of it */
	uint32_t type;
	uint64_t offset, size; /* of its bytes in the file */
	uint64_t begin;        /* of the whole note */
};

struct note_list {
	const struct core_headers *headers;
	const struct byte_reader *reader;
	size_t segment;
	uint64_t at;     /* within that segment */
	uint64_t given;  /* how many so far */
	bool incomplete; /* there are more than the file has, or than there can be */
	struct {
		uint64_t offset;
		size_t size;
		unsigned char bytes[16384];
	} piece;
};

/* From the beginning. */
void note_list_begin(struct note_list *list, const struct core_headers *headers, const struct byte_reader *reader);
/* The next note, which is whole in the file: true, or false at the end. */
bool note_list_next(struct note_list *list, struct note *note);

/* Is it of this owner and type? */
bool note_is(const struct note *note, const char *owner, uint32_t type);

#endif
