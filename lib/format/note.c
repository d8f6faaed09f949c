/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/note.h"

#include <elf.h>
#include <string.h>

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

size_t note_size(const char *owner, size_t size)
{
	return sizeof(Elf32_Nhdr) + padded(strlen(owner) + 1) + padded(size);
}

int note_add(struct buffer *out, const char *owner, uint32_t type, const void *bytes, size_t size)
{
	size_t owner_size = strlen(owner) + 1, whole = note_size(owner, size);
	Elf32_Nhdr header = { .n_namesz = (uint32_t)owner_size, .n_descsz = (uint32_t)size, .n_type = type };
	int result = size > UINT32_MAX ? -ENOMEM : buffer_reserve(out, whole);

	if (result < 0)
		return result;
	char *at = out->bytes + out->size;
	memset(at, 0, whole);
	memcpy(at, &header, sizeof header);
	memcpy(at + sizeof header, owner, owner_size);
	if (bytes)
		memcpy(at + sizeof header + padded(owner_size), bytes, size);
	out->size += whole;
	return 0;
}
