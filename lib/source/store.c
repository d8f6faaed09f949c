/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/range.h"
#include "base/zero.h"

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

/* The index of the first extent whose last byte is at or above an address. */
static size_t find_next(const struct store *store, uint64_t address)
{
	return range_find_next(store->extents, store->count, sizeof *store->extents, address);
}

/* The extent that holds an address, or NULL; *size is cut to what shares the answer. */
static const struct store_extent *find(const struct store *store, uint64_t address, uint64_t *size)
{
	size_t index = find_next(store, address);
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
		size_t index = find_next(store, start);
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

static bool is_set(const unsigned char *bits, const struct store *store, uint64_t offset)
{
	uint64_t page = offset / store->page_size;

	return bits[page / 8] >> page % 8 & 1;
}

static bool is_written(const struct store *store, uint64_t offset)
{
	return is_set(store->written, store, offset);
}

static bool is_newer(const struct store *store, uint64_t offset)
{
	return store->newer && is_set(store->newer, store, offset);
}

static void mark(unsigned char *bits, const struct store *store, uint64_t offset, bool set)
{
	uint64_t page = offset / store->page_size;
	unsigned char bit = (unsigned char)(1U << page % 8);

	if (set)
		bits[page / 8] |= bit;
	else
		bits[page / 8] &= (unsigned char)~bit;
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
	for (uint64_t done = 0; store->newer && done < size; done += store->page_size)
		mark(store->newer, store, offset + done, true);
}

/* Pages were not zero, and are now. */
static int clear(struct store *store, uint64_t offset, uint64_t size, struct pidmem_error *error)
{
	static const unsigned char zeros[4096];
	int result;

	if ((result = file_flush(&store->file, error)) < 0)
		return result;
	for (uint64_t done = 0; done < size; done += store->page_size)
		mark(store->written, store, offset + done, false);
	if (fallocate(store->file.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) == 0)
		return 0;
	for (uint64_t done = 0; done < size && result == 0; done += sizeof zeros)
		result = file_write_at(&store->file, zeros, sizeof zeros, offset + done, error);
	return result;
}

static bool is_older(const struct store *store, uint64_t offset)
{
	return is_written(store, offset) && !is_newer(store, offset);
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
		for (uint64_t page = at; page < at + run; page += store->page_size)
			mark(store->written, store, page, true);
		mark_newer(store, at, run);
		result = file_put_at(&store->file, bytes + done, run, at, error);
	}
	return result;
}

int store_write(struct store *store, uint64_t address, const void *bytes, uint64_t size, struct pidmem_error *error)
{
	const unsigned char *from = bytes;
	int result = store_place(store, address, size) < 0 ? fail_memory(error) : 0;

	for (size_t i = find_next(store, address); size && result == 0; i++) {
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

bool store_holds(const struct store *store, uint64_t address, uint64_t *size, uint64_t *offset)
{
	const struct store_extent *extent = find(store, address, size);

	if (!extent)
		return false;
	uint64_t within = address - extent->start, run = store->page_size - within % store->page_size;
	*offset = extent->offset + within;
	bool written = is_written(store, *offset);
	while (run < *size && is_written(store, *offset + run) == written)
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

int store_clear(struct store *store, uint64_t start, uint64_t size, struct pidmem_error *error)
{
	uint64_t end = start + size;
	int result = 0;

	for (size_t i = find_next(store, start); result == 0 && i < store->count && store->extents[i].start < end;
	     i++) {
		const struct store_extent *extent = &store->extents[i];
		uint64_t from = extent->start > start ? extent->start : start;
		uint64_t to = extent->start + extent->size < end ? extent->start + extent->size : end;
		result = clear_written(store, extent->offset + (from - extent->start), to - from, error);
	}
	return result;
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
	size_t index = find_next(store, start);

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
