/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

int buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t capacity = buffer->capacity ? buffer->capacity : 4096;

	if (more >= SIZE_MAX / 4 - buffer->size)
		return -ENOMEM;
	while (capacity < buffer->size + more + 1)
		capacity *= 2;
	if (capacity == buffer->capacity)
		return 0;
	char *bytes = realloc(buffer->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
	if (buffer_reserve(buffer, size) < 0)
		return -ENOMEM;
	if (size) /* an empty buffer has no bytes to copy from */
		memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
	return 0;
}

int buffer_read_fd(struct buffer *buffer, int fd)
{
	for (;;) {
		if (buffer_reserve(buffer, 4096) < 0)
			return -ENOMEM;
		ssize_t got = read(fd, buffer->bytes + buffer->size, buffer->capacity - buffer->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		buffer->size += (size_t)got;
		buffer->bytes[buffer->size] = 0;
		if (got == 0)
			return 0;
	}
}

int buffer_read_file(struct buffer *buffer, int dir, const char *name)
{
	AUTO_FD fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : buffer_read_fd(buffer, fd);
}

void *array_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *grown = reallocarray(array, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}
