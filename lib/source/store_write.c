/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes into a store: which pages of the file hold bytes, and which are not to be written again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/zero.h"
#include "source/store.h"

static bool is_newer(const struct store *store, uint64_t offset)
{
	return store->newer && store_bit(store->newer, store, offset);
}

static void mark(unsigned char *bits, const struct store *store, uint64_t offset, uint64_t size, bool set)
{
	for (uint64_t done = 0; done < size; done += store->page_size) {
		uint64_t page = (offset + done) / store->page_size;
		unsigned char bit = (unsigned char)(1U << page % 8);
		if (set)
			bits[page / 8] |= bit;
		else
			bits[page / 8] &= (unsigned char)~bit;
	}
}

int store_turn_back(struct store *store)
{
	store->newer = calloc(1, store->bits_size + 1);
	return store->newer ? 0 : -ENOMEM;
}

void store_turn_forth(struct store *store)
{
	free(take(store->newer));
}

static void mark_newer(struct store *store, uint64_t offset, uint64_t size)
{
	if (store->newer)
		mark(store->newer, store, offset, size, true);
}

/* Pages were not zero, and are now. */
static int clear(struct store *store, uint64_t offset, uint64_t size, struct pidmem_error *error)
{
	static const unsigned char zeros[4096];
	int result;

	if ((result = file_flush(&store->file, error)) < 0)
		return result;
	mark(store->written, store, offset, size, false);
	if (fallocate(store->file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) == 0)
		return 0;
	for (uint64_t done = 0; done < size && result == 0; done += sizeof zeros)
		result = file_write_at(&store->file, zeros, sizeof zeros, offset + done, error);
	return result;
}

static bool is_older(const struct store *store, uint64_t offset)
{
	return store_is_written(store, offset) && !is_newer(store, offset);
}

/* Those pages of it that were written before. */
static int clear_written(struct store *store, uint64_t offset, uint64_t size, struct pidmem_error *error)
{
	uint64_t begin = offset, end = offset + size, run;
	int result = 0;

	for (; offset < end && result == 0; offset += run) {
		run = store->page_size;
		if (!is_older(store, offset))
			continue;
		while (offset + run < end && is_older(store, offset + run))
			run += store->page_size;
		result = clear(store, offset, run, error);
	}
	mark_newer(store, begin, size);
	return result;
}

enum page { BYTES, ZEROS, OLD };

static enum page look_at(const struct store *store, uint64_t offset, const unsigned char *bytes)
{
	return is_newer(store, offset) ? OLD : is_zero(bytes, store->page_size) ? ZEROS : BYTES;
}

/* How many bytes, of whole pages, are alike? */
static size_t alike(const struct store *store, uint64_t offset, const unsigned char *bytes, size_t size,
		    enum page *what)
{
	size_t run = store->page_size;

	*what = look_at(store, offset, bytes);
	while (run < size && look_at(store, offset + run, bytes + run) == *what)
		run += store->page_size;
	return run;
}

static int write_within(struct store *store, uint64_t offset, const unsigned char *bytes, size_t size,
			struct pidmem_error *error)
{
	int result = 0;
	enum page what;

	for (size_t done = 0, run; done < size && result == 0; done += run) {
		uint64_t at = offset + done;
		run = alike(store, at, bytes + done, size - done, &what);
		if (what == ZEROS)
			result = clear_written(store, at, run, error);
		if (what != BYTES)
			continue;
		mark(store->written, store, at, run, true);
		mark_newer(store, at, run);
		result = file_put_at(&store->file, bytes + done, run, at, error);
	}
	return result;
}

int store_write(struct store *store, uint64_t address, const void *bytes, uint64_t size, struct pidmem_error *error)
{
	const unsigned char *from = bytes;
	int result = store_place(store, address, size) < 0 ? fail_memory(error) : 0;

	for (size_t i = store_find_next(store, address); size && result == 0; i++) {
		const struct store_extent *extent = &store->extents[i];
		uint64_t within = address - extent->start, rest = extent->size - within;
		uint64_t piece = rest < size ? rest : size;
		result = write_within(store, extent->offset + within, from, (size_t)piece, error);
		address += piece;
		from += piece;
		size -= piece;
	}
	return result;
}

int store_clear(struct store *store, uint64_t start, uint64_t size, struct pidmem_error *error)
{
	uint64_t end = start + size;
	int result = 0;

	for (size_t i = store_find_next(store, start); result == 0 && i < store->count && store->extents[i].start < end;
	     i++) {
		const struct store_extent *extent = &store->extents[i];
		uint64_t from = extent->start > start ? extent->start : start;
		uint64_t to = extent->start + extent->size < end ? extent->start + extent->size : end;
		result = clear_written(store, extent->offset + (from - extent->start), to - from, error);
	}
	return result;
}
