/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that holds copied memory: ranges of the address space, each with a place in it. It can become the output file
 * itself, and then nothing has to be copied again.
 */
#ifndef SOURCE_STORE_H
#define SOURCE_STORE_H

#include "base/range.h"
#include "sink/file.h"

/* A range of the address space and its place. */
struct store_extent {
	uint64_t start, size, offset;
};

struct store {
	struct file_sink file;
	uint64_t head;                /* bytes at the begin that stay free */
	uint64_t end;                 /* of the places that are given away */
	bool given;                   /* it has become an output file */
	struct store_extent *extents; /* in address order */
	size_t count, capacity;
	/* A bit for each page of the file. */
	unsigned char *written; /* it holds bytes, else zeros */
	unsigned char *newer;   /* after store_turn_back(): it holds what it is to hold */
	size_t bits_size;
	uint64_t page_size;
};

/* The index of the first extent whose last byte is at or above an address. */
static inline size_t store_find_next(const struct store *store, uint64_t address)
{
	return range_find_next(store->extents, store->count, sizeof *store->extents, address);
}

/* Of a page of the file. */
static inline bool store_bit(const unsigned char *bits, const struct store *store, uint64_t offset)
{
	uint64_t page = offset / store->page_size;

	return bits[page / 8] >> page % 8 & 1;
}

static inline bool store_is_written(const struct store *store, uint64_t offset)
{
	return store_bit(store->written, store, offset);
}

#define STORE_INIT                     \
	{                              \
		.file = FILE_SINK_INIT \
	}

/* Begin, with a file without a name in a directory, of which the first `head` bytes stay free. */
int store_open(struct store *store, const char *directory, uint64_t head, struct pidmem_error *error);
void store_close(struct store *store);

/* Give a place to what of a range has none yet: 0 or -ENOMEM. */
int store_place(struct store *store, uint64_t start, uint64_t size);

/* Put bytes where their address has its place: whole pages. Pages of zeros take no room. They are on their way until
 * store_flush(), which has to come before what gives or reads them. */
int store_flush(struct store *store, struct pidmem_error *error);
/* As store_flush(), after the last of them. */
int store_finish(struct store *store, struct pidmem_error *error);
int store_write(struct store *store, uint64_t address, const void *bytes, uint64_t size, struct pidmem_error *error);

/* From now on what is written, or forgotten, first counts: what comes for the same page later is older, and passed
 * over. All that is older has its place already. 0 or -ENOMEM. */
int store_turn_back(struct store *store);
/* As it was before that. */
void store_turn_forth(struct store *store);

/* Does it hold bytes of this address, or zeros? *size is cut to what shares the answer, and *offset is where they are.
 */
bool store_holds(const struct store *store, uint64_t address, uint64_t *size, uint64_t *offset);

/* Has any of a range a place? */
bool store_has(const struct store *store, uint64_t start, uint64_t size);

/* The place of an address, if it has one; *size is cut to what lies there in one piece. */
bool store_finds(const struct store *store, uint64_t address, uint64_t *size, uint64_t *offset);

/* Forget a range: its places hold zeros from then on. */
int store_clear(struct store *store, uint64_t start, uint64_t size, struct pidmem_error *error);

/* Let it become an output file, which is open but empty: see file_adopt(). It can still be read. */
bool store_give(struct store *store, struct file_sink *file);

/* Read what store_holds() told of: the number of bytes, or -errno. */
ssize_t store_read(const struct store *store, uint64_t offset, void *bytes, size_t size);

#endif
