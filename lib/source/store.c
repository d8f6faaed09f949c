/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

int store_open(struct store *store, const char *directory, uint64_t head, struct pidmem_error *error)
{
	*store = (struct store)STORE_INIT;
	store->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	store->head = store->end = head;
	return file_open_unnamed(&store->file, directory, error);
}

void store_close(struct store *store)
{
	file_close(&store->file);
	free(take(store->extents));
	free(take(store->written));
	store_turn_forth(store);
}

/* The extent that holds an address, or NULL; *size is cut to what shares the answer. */
static const struct store_extent *find(const struct store *store, uint64_t address, uint64_t *size)
{
	size_t index = store_find_next(store, address);
	const struct store_extent *extent = index < store->count ? &store->extents[index] : NULL;
	bool holds = extent && extent->start <= address;

	if (extent) {
		uint64_t rest = holds ? extent->start + extent->size - address : extent->start - address;
		*size = rest < *size ? rest : *size;
	}
	return holds ? extent : NULL;
}

static int lengthen(unsigned char **bits, size_t from, size_t to)
{
	unsigned char *grown = realloc(*bits, to);

	if (!grown)
		return -ENOMEM;
	memset(grown + from, 0, to - from);
	*bits = grown;
	return 0;
}

static int insert(struct store *store, size_t index, uint64_t start, uint64_t size)
{
	size_t bits = (size_t)((store->end + size) / store->page_size / 8 + 1);

	if (bits > store->bits_size) {
		bits += bits / 2;
		if (lengthen(&store->written, store->bits_size, bits) < 0 ||
		    (store->newer && lengthen(&store->newer, store->bits_size, bits) < 0))
			return -ENOMEM;
		store->bits_size = bits;
	}
	struct store_extent *extents = array_grow(store->extents, store->count, &store->capacity, sizeof *extents);
	if (!extents)
		return -ENOMEM;
	store->extents = extents;
	memmove(extents + index + 1, extents + index, (store->count - index) * sizeof *extents);
	extents[index] = (struct store_extent){ start, size, store->end };
	store->count++;
	store->end += size;
	return 0;
}

int store_place(struct store *store, uint64_t start, uint64_t size)
{
	while (size) {
		size_t index = store_find_next(store, start);
		const struct store_extent *next = index < store->count ? &store->extents[index] : NULL;
		uint64_t piece = size;
		if (next && next->start <= start) {
			uint64_t rest = next->start + next->size - start;
			piece = rest < size ? rest : size;
		} else {
			if (next && next->start - start < size)
				piece = next->start - start;
			if (insert(store, index, start, piece) < 0)
				return -ENOMEM;
		}
		start += piece;
		size -= piece;
	}
	return 0;
}

bool store_holds(const struct store *store, uint64_t address, uint64_t *size, uint64_t *offset)
{
	const struct store_extent *extent = find(store, address, size);

	if (!extent)
		return false;
	uint64_t within = address - extent->start, run = store->page_size - within % store->page_size;
	*offset = extent->offset + within;
	bool written = store_is_written(store, *offset);
	while (run < *size && store_is_written(store, *offset + run) == written)
		run += store->page_size;
	*size = run < *size ? run : *size;
	return written;
}

bool store_finds(const struct store *store, uint64_t address, uint64_t *size, uint64_t *offset)
{
	uint64_t wanted = *size;
	const struct store_extent *extent = find(store, address, size);

	if (!extent)
		return false;
	const struct store_extent *last = store->extents + store->count - 1;
	*offset = extent->offset + (address - extent->start);
	uint64_t end = extent->offset + extent->size; /* neighbours often stand beside each other in the file as well */
	for (; extent < last && extent[1].start == extent->start + extent->size && extent[1].offset == end; extent++)
		end += extent[1].size;
	*size = end - *offset < wanted ? end - *offset : wanted;
	return true;
}

int store_flush(struct store *store, struct pidmem_error *error)
{
	return file_flush(&store->file, error);
}

int store_finish(struct store *store, struct pidmem_error *error)
{
	return file_end_put(&store->file, error);
}

bool store_give(struct store *store, struct file_sink *file)
{
	if (store->given || !file_adopt(file, &store->file))
		return false;
	store->given = true;
	return true;
}

bool store_has(const struct store *store, uint64_t start, uint64_t size)
{
	size_t index = store_find_next(store, start);

	return index < store->count && store->extents[index].start <= start + (size - 1);
}

ssize_t store_read(const struct store *store, uint64_t offset, void *bytes, size_t size)
{
	ssize_t got;

	do
		got = pread(store->file.fd, bytes, size, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}
