/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/file_note.h"

#include <elf.h>
#include <string.h>

#include "format/note.h"

/* The kernel's unit of offsets; told in the note. */
#define UNIT 4096

void file_note_done(struct file_note *note)
{
	buffer_done(&note->ranges);
	buffer_done(&note->names);
}

static int add_words(struct buffer *buffer, const struct core_layout *layout, const uint64_t *words, size_t count)
{
	if (buffer_reserve(buffer, count * layout->word) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, buffer->size += layout->word)
		field_put(buffer->bytes + buffer->size, (struct field){ 0, layout->word }, words[i]);
	return 0;
}

int file_note_map(struct file_note *note, const struct core_layout *layout, uint64_t start, uint64_t size,
		  uint64_t offset, const char *path, bool deleted)
{
	static const char suffix[] = " (deleted)";
	uint64_t words[] = { start, start + size, offset / UNIT };

	note->count++;
	if (add_words(&note->ranges, layout, words, 3) < 0 ||
	    buffer_append(&note->names, path, strlen(path) + !deleted) < 0)
		return -ENOMEM;
	return deleted ? buffer_append(&note->names, suffix, sizeof suffix) : 0;
}

int file_note_add(struct buffer *out, const struct core_layout *layout, const struct file_note *note)
{
	AUTO_BUFFER bytes = { 0 };
	uint64_t head[] = { note->count, UNIT };

	if (note->count == 0)
		return 0;
	if (add_words(&bytes, layout, head, 2) < 0 ||
	    buffer_append(&bytes, note->ranges.bytes, note->ranges.size) < 0 ||
	    buffer_append(&bytes, note->names.bytes, note->names.size) < 0)
		return -ENOMEM;
	return note_add(out, "CORE", NT_FILE, bytes.bytes, bytes.size);
}
