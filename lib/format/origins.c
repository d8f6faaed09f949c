/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/origins.h"

#include <string.h>

#define VERSION 1
#define LARGEST (16U << 20)

struct head {
	uint32_t version, files, ranges, unused;
};

int origins_add(struct buffer *out, const struct buffer *files, const struct buffer *ranges)
{
	struct head head = { VERSION, (uint32_t)(files->size / sizeof(struct origin_file)),
			     (uint32_t)(ranges->size / sizeof(struct origin_range)), 0 };

	if (!head.ranges || sizeof head + files->size + ranges->size > LARGEST)
		return 0;
	if (buffer_append(out, &head, sizeof head) < 0 || buffer_append(out, files->bytes, files->size) < 0)
		return -ENOMEM;
	return buffer_append(out, ranges->bytes, ranges->size);
}

void origins_done(struct origins *origins)
{
	free(origins->bytes);
	*origins = (struct origins){ 0 };
}

static bool settle(struct origins *origins, uint64_t size)
{
	const char *at = origins->bytes;
	uint64_t next = 0;
	struct head head;

	memcpy(&head, at, sizeof head);
	if (head.version != VERSION || size != sizeof head + head.files * (uint64_t)sizeof(struct origin_file) +
						       head.ranges * (uint64_t)sizeof(struct origin_range))
		return false;
	origins->files = (const void *)(at + sizeof head);
	origins->file_count = head.files;
	origins->ranges = (const void *)(at + sizeof head + head.files * sizeof(struct origin_file));
	origins->range_count = head.ranges;
	for (size_t i = 0; i < origins->range_count; i++) {
		const struct origin_range *range = &origins->ranges[i];
		/* None of a file ends at 2^64. */
		if (!range->size || range->start < next || __builtin_add_overflow(range->start, range->size, &next) ||
		    (range->file >= head.files && range->file != ORIGIN_UNKNOWN))
			return false;
	}
	return true;
}

int origins_read(struct origins *out, const struct byte_reader *reader, uint64_t offset, uint64_t size)
{
	AUTO_ORIGINS origins = { 0 };

	if (size < sizeof(struct head) || size > LARGEST)
		return -EBADMSG;
	int result = reader_copy(reader, offset, size, &origins.bytes);
	if (result < 0)
		return result;
	if (!settle(&origins, size))
		return -EBADMSG;
	*out = origins;
	origins = (struct origins){ 0 };
	return 0;
}
