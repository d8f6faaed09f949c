/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A compressed file: frames, and tables of them. Whatever they say, reads give the same bytes in one piece and in many,
 * forwards and backwards, and never more than there are; and without a table of its own, those of zstd's own decoder.
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "format/seek_table.h"
#include "fuzz.h"
#include "fuzz_reader.h"
#include "source/content.h"

#define PIECE 3000UL
#define MOST_FRAMES 8
/* To read further on takes the time to decompress what is before, each time. */
#define NEAR (16U << 20)
#define WINDOW_LOG 25 /* lib/source/content_zstd.c */

/* The input, of which large reads give some bytes at once: then frames go on in the next read everywhere. */
struct trickle {
	struct content content;
	struct input input;
};

static ssize_t read_trickle(void *user, uint64_t offset, void *bytes, size_t size)
{
	struct trickle *trickle = user;

	return read_input(&trickle->input, offset, bytes, size > 2 * PIECE ? 7 : size);
}

static void close_trickle(struct content *content)
{
	free(content);
}

static struct content *open_trickle(const uint8_t *data, size_t size)
{
	struct trickle *trickle = calloc(1, sizeof *trickle);

	MUST(trickle);
	*trickle = (struct trickle){ .content = { .reader = { read_trickle, trickle, size }, .close = close_trickle },
				     .input = { data, size } };
	return &trickle->content;
}

static struct content *open_file(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct pidmem_error error = { 0 };
	struct content *content;

	if (fd < 0)
		fd = memfd_create("content", MFD_CLOEXEC);
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	MUST(content_open(dup(fd), "content", &error, &content) == 0);
	MUST(content->reader.size == size);
	return content;
}

/* What is compressed in a file, which goes with it; NULL if it cannot be true. */
static struct content *unpack(struct content *file)
{
	struct pidmem_error error = { 0 };
	struct content *content;

	if (content_open_zstd(file, "content", &error, &content) == 0)
		return content;
	MUST(error.code == PIDMEM_FORMAT && error.text[0]);
	content_close(file);
	return NULL;
}

static size_t get(const struct content *content, uint64_t offset, void *bytes, size_t size)
{
	uint64_t there = offset < content->reader.size ? content->reader.size - offset : 0;
	ssize_t got = content->reader.read(content->reader.user, offset, bytes, size);

	MUST(got <= (ssize_t)size && (got <= 0 || (uint64_t)got <= there));
	return got > 0 ? (size_t)got : 0;
}

/* One read of it is as many small ones, and begins as that of the other, if there is one. */
static void check_range(const struct content *one, const struct content *other, uint64_t offset)
{
	unsigned char whole[PIECE], parts[PIECE];
	size_t size = get(one, offset, whole, PIECE), done = 0, got;

	do {
		got = get(one, offset + done, parts + done, PIECE - done < 271 ? PIECE - done : 271);
		done += got;
	} while (got);
	MUST(done == size && memcmp(whole, parts, done) == 0);
	if (other) {
		got = get(other, offset, parts, PIECE);
		MUST(memcmp(whole, parts, got < size ? got : size) == 0);
	}
}

/* Around the borders of frames from the last one to the first, and where there is nothing. */
static void check_ranges(const struct content *one, const struct content *other, const struct seek_table *table)
{
	uint64_t size = one->reader.size, last = size < NEAR ? size : NEAR;

	check_range(one, other, UINT64_MAX - 5);
	check_range(one, other, size);
	for (size_t i = table->count < MOST_FRAMES ? table->count : MOST_FRAMES; i--;) {
		uint64_t border = table->frames[i].position;
		if (border < last)
			check_range(one, other, border < 10 ? border : border - 10);
	}
	check_range(one, other, last / 2);
	check_range(one, other, last ? last - 1 : 0);
}

/* The beginning of all that zstd makes of the input: its size; *whole if that is all of it. */
static size_t decompress(const uint8_t *data, size_t size, unsigned char *bytes, size_t room, bool *whole)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { data, size, 0 };
	ZSTD_outBuffer out = { bytes, room, 0 };
	size_t result = 0;

	MUST(context);
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG);
	while (in.pos < in.size && out.pos < out.size && !ZSTD_isError(result))
		result = ZSTD_decompressStream(context, &out, &in);
	ZSTD_freeDCtx(context);
	*whole = result == 0 && out.pos < out.size;
	return ZSTD_isError(result) ? 0 : out.pos;
}

static void check_against_zstd(const struct content *content, const uint8_t *data, size_t size)
{
	static unsigned char wanted[1 << 20], bytes[1 << 20];
	bool whole;
	size_t there = decompress(data, size, wanted, sizeof wanted, &whole);
	size_t got = get(content, 0, bytes, sizeof bytes);

	MUST(!whole || (content->reader.size == there && got == there && !content->incomplete));
	MUST(memcmp(bytes, wanted, got < there ? got : there) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct byte_reader reader = { read_input, &input, size };
	AUTO_CONTENT file = open_file(data, size);
	AUTO_SEEK_TABLE table = { 0 };
	unsigned char bytes[PIECE];

	MUST(get(file, size / 2, bytes, PIECE) == (size - size / 2 < PIECE ? size - size / 2 : PIECE));
	MUST(memcmp(bytes, data + size / 2, size - size / 2 < PIECE ? size - size / 2 : PIECE) == 0);
	MUST(seek_table_is_zstd(&file->reader) == seek_table_is_zstd(&reader));
	AUTO_CONTENT one = unpack(open_file(data, size));
	AUTO_CONTENT other = unpack(open_trickle(data, size));
	if (!one)
		return 0;
	MUST(seek_table_read(&table, &reader) == 0);
	MUST(one->incomplete == table.incomplete);
	/* How much there is of a broken frame, zstd answers by how much of it it is given at once. */
	bool same = other && !table.unsized && !table.incomplete;
	check_ranges(one, same ? other : NULL, &table);
	if (!table.seekable)
		check_against_zstd(one, data, size);
	return 0;
}
