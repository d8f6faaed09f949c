/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compressed files. A frame can only be decompressed from its beginning: in a file of many frames, of which a table
 * tells, any byte is a few MiB away from one; in a plain one the way is from the beginning of the file.
 */
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "base/error.h"
#include "format/seek_table.h"
#include "source/content.h"

/* What is decompressed is kept, so that small reads one after the other cost little. */
#define KEPT (4UL << 20)
/* Of what a frame refers back to: 32 MiB. zstd needs more with --long and with --ultra -22 alone. */
#define WINDOW_LOG 25
/* Smaller frames are no reason for a remark. */
#define LARGE_FRAME (64ULL << 20)

struct compressed {
	struct content content;
	struct content *file; /* the bytes as they are on disk */
	struct seek_table table;
	ZSTD_DCtx *context;
	size_t frame; /* that is being decompressed; none if `context` is at no frame */
	bool started;
	uint64_t offset;   /* of the next input, in the file */
	uint64_t position; /* of `kept` in the content */
	unsigned char *kept;
	size_t kept_size;
	unsigned char *input;
	size_t input_size, input_at, input_room;
};

static void close_compressed(struct content *content)
{
	struct compressed *compressed = (struct compressed *)content;

	ZSTD_freeDCtx(compressed->context);
	content_close(compressed->file);
	seek_table_done(&compressed->table);
	free(compressed->kept);
	free(compressed->input);
	free(compressed);
}

static uint64_t no_zeros(struct content *content, uint64_t offset, uint64_t size)
{
	(void)content, (void)offset, (void)size;
	return 0;
}

/* 0, or -EIO: libzstd would take frames of its early versions as well, whose decoders do not stand up to made-up input.
 */
static int start_frame(struct compressed *compressed, size_t frame)
{
	static const unsigned char wanted[] = { 0x28, 0xb5, 0x2f, 0xfd }; /* RFC 8878, 3.1.1 */
	unsigned char magic[sizeof wanted];

	ZSTD_DCtx_reset(compressed->context, ZSTD_reset_session_only);
	compressed->frame = frame;
	compressed->offset = compressed->table.frames[frame].offset;
	compressed->position = compressed->table.frames[frame].position;
	compressed->kept_size = compressed->input_size = compressed->input_at = 0;
	compressed->started = reader_get(&compressed->file->reader, compressed->offset, magic, sizeof magic) &&
			      !memcmp(magic, wanted, sizeof magic);
	return compressed->started ? 0 : -EIO;
}

/* More input: its size, 0 at the end of the file, -errno. */
static ssize_t refill(struct compressed *compressed)
{
	const struct byte_reader *reader = &compressed->file->reader;
	ssize_t got = compressed->offset < reader->size ? reader->read(reader->user, compressed->offset,
								       compressed->input, compressed->input_room)
							: 0;

	if (got > 0)
		compressed->offset += (uint64_t)got;
	compressed->input_at = 0;
	compressed->input_size = got > 0 ? (size_t)got : 0;
	return got;
}

/* Decompress the next part of the frame into `kept`: its size, 0 at the end of the frame or of the file, -EIO. */
static ssize_t advance(struct compressed *compressed)
{
	ZSTD_outBuffer out = { compressed->kept, KEPT, 0 };

	compressed->position += compressed->kept_size;
	compressed->kept_size = 0;
	while (out.pos < out.size && compressed->started) {
		if (compressed->input_at == compressed->input_size) {
			ssize_t got = refill(compressed);
			if (got <= 0) {
				compressed->started = false;
				if (got < 0 && !out.pos)
					return got;
				break;
			}
		}
		ZSTD_inBuffer in = { compressed->input, compressed->input_size, compressed->input_at };
		size_t result = ZSTD_decompressStream(compressed->context, &out, &in);
		compressed->input_at = in.pos;
		if (ZSTD_isError(result)) {
			compressed->started = false;
			return out.pos ? (ssize_t)(compressed->kept_size = out.pos) : -EIO;
		}
		if (result == 0) /* the frame is complete; the next one is another matter */
			compressed->started = false;
	}
	compressed->kept_size = out.pos;
	return (ssize_t)out.pos;
}

/* Bring `kept` to an offset of the content. 1, 0 if there is nothing, -EIO. */
static int seek(struct compressed *compressed, uint64_t offset)
{
	size_t frame = seek_table_find(&compressed->table, offset);
	bool here = frame == compressed->frame && compressed->kept_size && offset >= compressed->position;

	if (frame == compressed->table.count)
		return 0;
	if (here && offset - compressed->position < compressed->kept_size)
		return 1;
	if ((!here || !compressed->started) && start_frame(compressed, frame) < 0)
		return -EIO;
	while (offset - compressed->position >= compressed->kept_size) {
		ssize_t got = advance(compressed);
		if (got <= 0)
			return (int)got;
	}
	return 1;
}

static ssize_t read_compressed(void *user, uint64_t offset, void *bytes, size_t size)
{
	struct compressed *compressed = user;
	size_t done = 0;

	while (done < size) {
		int found = seek(compressed, offset + done);
		if (found <= 0)
			return done ? (ssize_t)done : found;
		size_t at = (size_t)(offset + done - compressed->position), left = compressed->kept_size - at;
		/* A frame may have more than was told: that is not there. */
		uint64_t end = compressed->table.frames[compressed->frame + 1].position;
		if (end - (offset + done) < left)
			left = (size_t)(end - (offset + done));
		size_t piece = left < size - done ? left : size - done;
		memcpy((char *)bytes + done, compressed->kept + at, piece);
		done += piece;
	}
	return (ssize_t)done;
}

/* How much there is in a frame: there is no other way than to decompress it. */
static int measure_frame(struct compressed *compressed, size_t frame, uint64_t *size)
{
	ssize_t got;

	if (start_frame(compressed, frame) < 0)
		return -EBADMSG;
	for (*size = 0; (got = advance(compressed)) > 0;)
		*size += (uint64_t)got;
	compressed->kept_size = 0;
	compressed->started = false;
	return got < 0 && *size == 0 ? -EBADMSG : 0;
}

/* Of frames that do not tell, and of the last one if it is not whole. */
static int measure(struct compressed *compressed)
{
	struct seek_table *table = &compressed->table;
	uint64_t position = 0;

	for (size_t i = 0; i < table->count; i++) {
		uint64_t size = table->frames[i + 1].position - table->frames[i].position;
		bool cut = table->incomplete && i + 1 == table->count;
		table->frames[i].position = position;
		if ((table->frames[i + 1].unsized || cut) && measure_frame(compressed, i, &size) < 0)
			return -EBADMSG;
		position += size;
	}
	table->frames[table->count].position = position;
	return 0;
}

static bool has_large_frame(const struct seek_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->frames[i + 1].position - table->frames[i].position > LARGE_FRAME)
			return true;
	return false;
}

static int prepare(struct compressed *compressed, const char *name, struct pidmem_error *error)
{
	int result = seek_table_read(&compressed->table, &compressed->file->reader);

	if (result == -EBADMSG)
		return fail(error, PIDMEM_FORMAT, EBADMSG, "%s: its zstd frames, or the table of them, cannot be true",
			    name);
	compressed->context = ZSTD_createDCtx();
	compressed->kept = malloc(KEPT);
	compressed->input_room = ZSTD_DStreamInSize();
	compressed->input = malloc(compressed->input_room);
	if (result < 0 || !compressed->context || !compressed->kept || !compressed->input)
		return fail_memory(error);
	ZSTD_DCtx_setParameter(compressed->context, ZSTD_d_windowLogMax, WINDOW_LOG);
	bool unknown = compressed->table.unsized || compressed->table.incomplete;
	if (unknown && compressed->table.count && measure(compressed) < 0)
		return with_hint(error, fail(error, PIDMEM_FORMAT, EBADMSG, "%s cannot be decompressed", name),
				 "with `zstd -d --long=31` perhaps: this takes frames with windows of up to 32 MiB");
	return 0;
}

int content_open_zstd(struct content *file, const char *name, struct pidmem_error *error, struct content **out)
{
	struct compressed *compressed = calloc(1, sizeof *compressed);

	if (!compressed)
		return fail_memory(error);
	compressed->file = file;
	int result = prepare(compressed, name, error);
	if (result < 0) {
		compressed->file = NULL;
		close_compressed(&compressed->content);
		return result;
	}
	compressed->content = (struct content){
		.reader = { read_compressed, compressed, compressed->table.frames[compressed->table.count].position },
		.zeros = no_zeros,
		.close = close_compressed,
		.compression = "zstd",
		.size_on_disk = file->size_on_disk,
		.incomplete = compressed->table.incomplete,
	};
	if (has_large_frame(&compressed->table))
		compressed->content.remark = "it is compressed without a table of small frames: to read from it takes "
					     "the time to decompress "
					     "what is before; `zstd -d` makes a file that can be read anywhere";
	*out = &compressed->content;
	return 0;
}
