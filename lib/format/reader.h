/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that a parser asks for piece by piece, wherever they are: a file, a compressed one, a buffer of a test. */
#ifndef FORMAT_READER_H
#define FORMAT_READER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

struct byte_reader {
	/* As many of `size` bytes as there are before the end, or -errno. */
	ssize_t (*read)(void *user, uint64_t offset, void *bytes, size_t size);
	void *user;
	uint64_t size; /* of it all */
};

/* All of it, or false: behind the end, or an error. */
static inline bool reader_get(const struct byte_reader *reader, uint64_t offset, void *bytes, size_t size)
{
	return offset <= reader->size && size <= reader->size - offset &&
	       reader->read(reader->user, offset, bytes, size) == (ssize_t)size;
}

/* The same in memory of its own, which is the caller's in any case, with a NUL behind it: 0, -ENOMEM or -EIO. */
static inline int reader_copy(const struct byte_reader *reader, uint64_t offset, size_t size, char **bytes)
{
	*bytes = calloc(1, size + 1);
	if (!*bytes)
		return -ENOMEM;
	return reader_get(reader, offset, *bytes, size) ? 0 : -EIO;
}

#endif
