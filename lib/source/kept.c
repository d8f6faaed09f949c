/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/kept.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buffer.h"
#include "base/range.h"

/* Smallest amount of memory to ask for. */
#define CHUNK (1UL << 20)
/* No more than this is made ready in advance: it takes memory even if it is not used. */
#define READY (64UL << 20)

struct kept_chunk {
	struct kept_chunk *next;
	size_t used, size; /* of `bytes` */
	unsigned char bytes[];
};

static int add_chunk(struct kept *kept, size_t size, int flags)
{
	size += sizeof(struct kept_chunk);
	struct kept_chunk *chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (chunk == MAP_FAILED)
		return -ENOMEM;
	*chunk = (struct kept_chunk){ .next = kept->chunks, .size = size - sizeof *chunk };
	kept->chunks = chunk;
	return 0;
}

int kept_reserve(struct kept *kept, uint64_t bytes, size_t spans)
{
	if (bytes && add_chunk(kept, bytes < READY ? (size_t)bytes : READY, MAP_POPULATE) < 0)
		return -ENOMEM;
	if (spans <= kept->capacity)
		return 0;
	struct pidmem_span *grown = reallocarray(kept->spans, spans, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	kept->spans = grown;
	kept->capacity = spans;
	return 0;
}

static unsigned char *room(struct kept *kept, size_t size)
{
	if ((!kept->chunks || kept->chunks->size - kept->chunks->used < size) &&
	    add_chunk(kept, size < CHUNK ? CHUNK : size, 0) < 0)
		return NULL;
	kept->chunks->used += size;
	return kept->chunks->bytes + kept->chunks->used - size;
}

int kept_add(struct kept *kept, const struct pidmem_span *span)
{
	struct pidmem_span *grown = array_grow(kept->spans, kept->count, &kept->capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	kept->spans = grown;
	struct pidmem_span *added = &grown[kept->count];
	*added = *span;
	if (span->bytes) {
		unsigned char *bytes = room(kept, span->size);
		if (!bytes)
			return -ENOMEM;
		added->bytes = memcpy(bytes, span->bytes, span->size);
	}
	kept->count++;
	return 0;
}

void kept_done(struct kept *kept)
{
	for (struct kept_chunk *chunk = kept->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		munmap(chunk, sizeof *chunk + chunk->size);
	}
	free(kept->spans);
	*kept = (struct kept){ 0 };
}

static int by_address(const void *one, const void *other)
{
	const struct pidmem_span *left = one, *right = other;

	return (left->start > right->start) - (left->start < right->start);
}

void kept_sort(struct kept *kept)
{
	if (kept->count)
		qsort(kept->spans, kept->count, sizeof *kept->spans, by_address);
}

const struct pidmem_span *kept_find_next(const struct kept *kept, uint64_t address)
{
	size_t index = range_find_next(kept->spans, kept->count, sizeof *kept->spans, address);

	return index < kept->count ? &kept->spans[index] : NULL;
}
