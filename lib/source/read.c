/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a range into a buffer, on top of the walk. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "source/source.h"
#include "source/span.h"

/* What lies at an address that no region holds. */
static struct pidmem_span unmapped(uint64_t address, uint64_t size)
{
	return (struct pidmem_span){
		.start = address, .size = size, .class_ = PIDMEM_NO_CONTENT, .why = PIDMEM_WHY_UNMAPPED
	};
}

ssize_t pidmem_source_read(struct pidmem_source *source, uint64_t address, void *buffer, size_t size,
			   struct pidmem_error *error, struct pidmem_span *stop)
{
	AUTO_WALK walk = NULL;
	struct pidmem_span span;
	size_t done = 0;
	int result;

	if (size > SSIZE_MAX)
		return fail(error, PIDMEM_USAGE, EINVAL, "a read of more than 2^63 bytes");
	result = pidmem_walk_open(source, address, size, 0, error, &walk);
	while (result >= 0 && (result = pidmem_walk_next(walk, error, &span)) == 1) {
		if (span.start != address + done || !span_is_known(&span))
			break;
		if (span.bytes)
			memcpy((char *)buffer + done, span.bytes, span.size);
		else
			memset((char *)buffer + done, 0, span.size);
		done += span.size;
	}
	if (result < 0)
		return result;
	if (done < size && stop) {
		uint64_t gap = result == 1 ? span.start - (address + done) : size - done;
		*stop = gap == 0 ? span : unmapped(address + done, gap);
		stop->bytes = NULL;
	}
	return (ssize_t)done;
}

ssize_t pidmem_source_readv(struct pidmem_source *source, struct pidmem_request *requests, size_t count,
			    struct pidmem_error *error)
{
	ssize_t whole = 0;

	for (size_t i = 0; i < count; i++) {
		struct pidmem_request *request = &requests[i];
		ssize_t done = pidmem_source_read(source, request->address, request->buffer, request->size, error,
						  &request->stop);
		if (done < 0)
			return done;
		request->done = (size_t)done;
		whole += request->done == request->size;
	}
	return whole;
}
