/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growing byte buffer, and reading whole files into it. Always NUL-terminated behind its end. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct buffer {
	char *bytes;
	size_t size, capacity;
};

static inline void buffer_done(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){ 0 };
}
#define AUTO_BUFFER CLEANUP(buffer_done) struct buffer

/* Make room for `more` bytes behind the end; 0 or -ENOMEM. */
int buffer_reserve(struct buffer *buffer, size_t more);

/* Append bytes; 0 or -ENOMEM. */
int buffer_append(struct buffer *buffer, const void *bytes, size_t size);

/* Append what a file descriptor gives until its end; 0 or -errno. */
int buffer_read_fd(struct buffer *buffer, int fd);

/* Append the whole of the file `name` below the directory `dir` (as openat(2)); 0 or -errno. */
int buffer_read_file(struct buffer *buffer, int dir, const char *name);

/* Grow an array of `size`-byte items so that one more fits behind `count`; NULL when memory is out. */
void *array_grow(void *array, size_t count, size_t *capacity, size_t size);

#endif
