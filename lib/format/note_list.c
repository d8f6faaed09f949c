/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/note_list.h"

#include <elf.h>
#include <string.h>

/* Beyond belief: with 20 notes for each thread there would be 50,000 threads. */
#define MOST_NOTES 1000000

void note_list_begin(struct note_list *list, const struct core_headers *headers, const struct byte_reader *reader)
{
	*list = (struct note_list){ .headers = headers, .reader = reader };
}

/* Notes are small and stand close together: several at once. */
static bool get(struct note_list *list, uint64_t offset, void *bytes, size_t size)
{
	if (offset < list->piece.offset || offset + size > list->piece.offset + list->piece.size) {
		if (offset >= list->reader->size)
			return false;
		ssize_t got =
			list->reader->read(list->reader->user, offset, list->piece.bytes, sizeof list->piece.bytes);
		list->piece.offset = offset;
		list->piece.size = got > 0 ? (size_t)got : 0;
		if (size > list->piece.size)
			return false;
	}
	memcpy(bytes, list->piece.bytes + (offset - list->piece.offset), size);
	return true;
}

static uint64_t padded(uint64_t size)
{
	return (size + 3) & ~3ULL;
}

/* 1, 0 at the end of the segment, -1 if what follows is not there or makes no sense. */
static int next_of_segment(struct note_list *list, const struct elf_segment *segment, struct note *note)
{
	Elf32_Nhdr header; /* the same in both classes */
	uint64_t left = segment->file_size - list->at, begin = segment->offset + list->at;

	if (left < sizeof header)
		return 0;
	if (!get(list, begin, &header, sizeof header))
		return -1;
	uint64_t name = padded(header.n_namesz), whole = sizeof header + name + padded(header.n_descsz);
	if (!header.n_namesz && !header.n_descsz && !header.n_type) /* padding */
		return 0;
	/* The last one may lack its padding. */
	if (sizeof header + name + header.n_descsz > left)
		return -1;
	*note = (struct note){
		.begin = begin, .type = header.n_type, .offset = begin + sizeof header + name, .size = header.n_descsz
	};
	size_t shown = header.n_namesz < sizeof note->owner ? header.n_namesz : sizeof note->owner - 1;
	if (!get(list, begin + sizeof header, note->owner, shown) || note->offset > list->reader->size ||
	    note->size > list->reader->size - note->offset)
		return -1;
	list->at += whole < left ? whole : left;
	return 1;
}

bool note_list_next(struct note_list *list, struct note *note)
{
	while (list->segment < list->headers->note_count) {
		int result = next_of_segment(list, &list->headers->notes[list->segment], note);
		if (result == 1 && list->given++ < MOST_NOTES)
			return true;
		list->incomplete |= result != 0;
		if (result == 1)
			return false;
		list->segment++;
		list->at = 0;
	}
	return false;
}

bool note_is(const struct note *note, const char *owner, uint32_t type)
{
	return note->type == type && !strncmp(note->owner, owner, sizeof note->owner);
}
