/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/seek_table.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"

#define ZSTD_MAGIC 0xfd2fb528U
#define SKIPPABLE_MAGIC 0x184d2a50U /* and 15 more */
/* Two TiB of frames of 1 MiB. */
#define MOST_FRAMES (2U << 20)
#define PIECE 4096
/* No content is larger than any address space. */
#define LARGEST (1ULL << 58)

static uint64_t little(const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

void seek_table_done(struct seek_table *table)
{
	free(table->frames);
	*table = (struct seek_table){ 0 };
}

/* The next frame begins there: where the one before ends. */
static int add(struct seek_table *table, uint64_t offset, uint64_t position)
{
	if (table->count > MOST_FRAMES || position > LARGEST)
		return -EBADMSG;
	struct zstd_frame *frames = array_grow(table->frames, table->count, &table->capacity, sizeof *frames);
	if (!frames)
		return -ENOMEM;
	table->frames = frames;
	frames[table->count++] = (struct zstd_frame){ offset, position, false };
	return 0;
}

bool seek_table_is_zstd(const struct byte_reader *reader)
{
	unsigned char magic[4];

	if (!reader_get(reader, 0, magic, sizeof magic))
		return false;
	return little(magic, 4) == ZSTD_MAGIC || (little(magic, 4) & ~15ULL) == SKIPPABLE_MAGIC;
}

/* ---------------------------------------------------------------------------------- the file's own table --- */

/* Entries of `step` bytes: sizes of a frame and of its content, and perhaps a checksum. */
static int read_entries(struct seek_table *table, const struct byte_reader *reader, uint64_t at, uint64_t count,
			size_t step, uint64_t end)
{
	unsigned char piece[PIECE / 12 * 12];
	uint64_t offset = 0, position = 0;
	int result = add(table, 0, 0);

	for (uint64_t done = 0; done < count && result == 0;) {
		size_t fits = sizeof piece / step, some = count - done < fits ? (size_t)(count - done) : fits;
		if (!reader_get(reader, at + done * step, piece, some * step))
			return -EBADMSG;
		for (size_t i = 0; i < some && result == 0; i++) {
			uint64_t size = little(piece + i * step, 4);
			offset += size;
			position += little(piece + i * step + 4, 4);
			result = size && offset <= end ? add(table, offset, position) : -EBADMSG;
		}
		done += some;
	}
	return result;
}

/* 1 if there is a table; what follows must hold then. */
static int read_table(struct seek_table *table, const struct byte_reader *reader)
{
	unsigned char footer[SEEK_TABLE_FOOT], head[8];

	if (reader->size < SEEK_TABLE_FOOT + sizeof head ||
	    !reader_get(reader, reader->size - SEEK_TABLE_FOOT, footer, sizeof footer) ||
	    little(footer + 5, 4) != SEEKABLE_MAGIC)
		return 0;
	uint64_t count = little(footer, 4);
	size_t step = footer[4] & 0x80 ? 12 : 8;
	if (footer[4] & 0x7c || count > MOST_FRAMES)
		return -EBADMSG;
	uint64_t size = count * step + SEEK_TABLE_FOOT;
	if (size + sizeof head > reader->size)
		return -EBADMSG;
	uint64_t at = reader->size - size;
	if (!reader_get(reader, at - sizeof head, head, sizeof head) || little(head, 4) != SEEK_TABLE_MAGIC ||
	    little(head + 4, 4) != size)
		return -EBADMSG;
	int result = read_entries(table, reader, at, count, step, at - sizeof head);
	table->seekable = true;
	return result < 0 ? result : 1;
}

/* ------------------------------------------------------------------------------------- frame by frame --- */

struct frame_head {
	size_t size;
	bool sized, checksum;
	uint64_t content;
};

/* Frame_Header of RFC 8878, behind the magic number. */
static bool read_head(const struct byte_reader *reader, uint64_t offset, struct frame_head *head)
{
	static const uint8_t dictionary_sizes[] = { 0, 1, 2, 4 }, content_sizes[] = { 0, 2, 4, 8 };
	unsigned char bytes[14] = { 0 };

	if (!reader_get(reader, offset, bytes, 1))
		return false;
	bool single = bytes[0] & 0x20;
	size_t content = content_sizes[bytes[0] >> 6], before = 1U + !single + dictionary_sizes[bytes[0] & 3];
	if (single && !content)
		content = 1;
	*head = (struct frame_head){ .size = before + content, .sized = content, .checksum = bytes[0] & 4 };
	if (!reader_get(reader, offset, bytes, head->size))
		return false;
	head->content = little(bytes + before, content) + (content == 2 ? 256 : 0);
	return true;
}

/* The blocks of a frame, to its end: false if the file ends before. */
static bool skip_blocks(const struct byte_reader *reader, uint64_t *offset, bool checksum)
{
	unsigned char bytes[3];
	uint64_t block;

	do {
		if (!reader_get(reader, *offset, bytes, sizeof bytes))
			return false;
		block = little(bytes, sizeof bytes);
		*offset += sizeof bytes + (((block >> 1) & 3) == 1 ? 1 : block >> 3); /* RLE: one byte stands for all */
	} while (!(block & 1));
	*offset += checksum ? 4 : 0;
	return *offset <= reader->size;
}

/* 1, or 0 at the end. */
static int next_frame(struct seek_table *table, const struct byte_reader *reader, uint64_t *offset, uint64_t *position)
{
	unsigned char bytes[8] = { 0 };
	struct frame_head head;

	if (*offset == reader->size || table->incomplete)
		return 0;
	bool there = reader_get(reader, *offset, bytes, 8) || reader_get(reader, *offset, bytes, 4);
	if (there && (little(bytes, 4) & ~15ULL) == SKIPPABLE_MAGIC) {
		*offset += 8 + little(bytes + 4, 4);
		table->incomplete = *offset > reader->size;
		table->frames[table->count - 1].offset = *offset;
		return 1;
	}
	if (there && little(bytes, 4) != ZSTD_MAGIC)
		return -EBADMSG;
	*offset += 4;
	if (!there || !read_head(reader, *offset, &head)) {
		table->incomplete = true;
		return 0;
	}
	*offset += head.size;
	table->incomplete = !skip_blocks(reader, offset, head.checksum);
	table->unsized |= !head.sized;
	if (__builtin_add_overflow(*position, head.content, position))
		return -EBADMSG;
	int result = add(table, *offset, *position);
	if (result < 0)
		return result;
	table->frames[table->count - 1].unsized = !head.sized;
	return 1;
}

int seek_table_read(struct seek_table *out, const struct byte_reader *reader)
{
	AUTO_SEEK_TABLE table = { 0 };
	uint64_t offset = 0, position = 0;
	int result = read_table(&table, reader);

	if (result == 0) {
		result = add(&table, 0, 0);
		while (result >= 0 && (result = next_frame(&table, reader, &offset, &position)) == 1)
			;
	}
	if (result < 0)
		return result;
	table.count--; /* the last entry is the end */
	*out = table;
	table = (struct seek_table){ 0 };
	return 0;
}

size_t seek_table_find(const struct seek_table *table, uint64_t position)
{
	size_t low = 0, high = table->count;

	while (low < high) { /* the first one whose end is above the position: those without content are passed over */
		size_t middle = low + (high - low) / 2;
		if (table->frames[middle + 1].position <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
