/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/options.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/zero.h"

/* No structure will ever have this size: the member was not set. */
#define SIZE_LIMIT (1UL << 20)

static size_t size_of(const void *structure)
{
	size_t size;

	memcpy(&size, structure, sizeof size);
	return size;
}

static size_t smaller(size_t one, size_t other)
{
	return one < other ? one : other;
}

int options_check_room(const void *room, struct pidmem_error *error)
{
	size_t size = size_of(room);

	if (size < sizeof size || size > SIZE_LIMIT)
		return with_hint(error,
				 fail(error, PIDMEM_USAGE, EINVAL, "%zu cannot be the size of a structure", size),
				 "PIDMEM_INIT() sets it");
	return 0;
}

int options_take(void *known, size_t known_size, const void *given, struct pidmem_error *error)
{
	size_t size, common;

	memset(known, 0, known_size);
	if (!given)
		return 0;
	int result = options_check_room(given, error);
	if (result < 0)
		return result;
	size = size_of(given);
	common = smaller(size, known_size);
	if (!is_zero((const unsigned char *)given + common, size - common))
		return fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP,
			    "an option is set that version %s of the library does not know", PIDMEM_VERSION);
	memcpy(known, given, common);
	return 0;
}

void options_give(void *room, const void *filled, size_t filled_size)
{
	size_t size = size_of(room), common = smaller(size, filled_size), own = sizeof size;

	memcpy((char *)room + own, (const char *)filled + own, common - own);
	memset((char *)room + common, 0, size - common);
}
