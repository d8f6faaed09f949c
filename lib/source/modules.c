/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs and libraries in memory. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "format/build_id.h"
#include "source/source.h"

struct memory {
	struct pidmem_source *source;
	uint64_t start;
};

static ssize_t read_memory(void *user, uint64_t offset, void *bytes, size_t size)
{
	const struct memory *memory = user;

	return pidmem_source_read(memory->source, memory->start + offset, bytes, size, NULL, NULL);
}

ssize_t pidmem_source_build_id(struct pidmem_source *source, uint64_t address, void *bytes, size_t size,
			       struct pidmem_error *error)
{
	struct memory memory = { source, address };
	struct byte_reader reader = { read_memory, &memory, UINT64_MAX - address };
	unsigned char id[BUILD_ID_LARGEST];
	int result = source_check(source, error);

	if (result < 0)
		return result;
	size_t found = build_id_find(&reader, id);
	if (found > size)
		return fail(error, PIDMEM_USAGE, ENOSPC, "a build-id of %zu bytes", found);
	memcpy(bytes, id, found);
	return (ssize_t)found;
}
