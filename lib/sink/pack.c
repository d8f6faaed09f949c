/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sink/pack.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <zstd.h>

#include "base/error.h"
#include "base/ring.h"
#include "format/seek_entries.h"
#include "sink/file.h"

/*
 * Memory: a slot has two buffers of a frame's size, and a thread what zstd needs, which is up to 7 MiB at the lower
 * levels and 34 MiB at the others. With eight threads and with two it stays below 110 MiB.
 */
#define LOW_LEVELS 9
#define MOST_THREADS 8
#define MOST_THREADS_HIGH 2
#define MOST_SLOTS (MOST_THREADS + 2)
/* Frames of zeros are alike: so many are written at once. */
#define ZEROS_AT_ONCE 512

struct slot {
	char *in, *out;
	size_t filled;
	size_t packed;  /* or an error of zstd */
	uint64_t zeros; /* instead of bytes, so many whole frames of zeros */
};

struct pack {
	int level;
	struct ring *ring;
	struct slot slots[MOST_SLOTS];
	ZSTD_CCtx *contexts[MOST_THREADS]; /* of each thread, made by it */
	uint64_t pending;                  /* bytes in slots */
	struct buffer table;
	char *zeros; /* ZEROS_AT_ONCE frames of zeros */
	size_t zeros_size;
};

static ZSTD_CCtx *make_context(int level)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();

	if (!context)
		return NULL;
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	return context;
}

static void compress(void *user, size_t index, size_t thread)
{
	struct pack *pack = user;
	struct slot *slot = &pack->slots[index];

	slot->packed = 0;
	if (slot->zeros)
		return;
	if (!pack->contexts[thread])
		pack->contexts[thread] = make_context(pack->level);
	if (pack->contexts[thread])
		slot->packed = ZSTD_compress2(pack->contexts[thread], slot->out, ZSTD_compressBound(PACK_FRAME),
					      slot->in, slot->filled);
}

static size_t count_threads(int level)
{
	size_t most = level > LOW_LEVELS ? MOST_THREADS_HIGH : MOST_THREADS, count;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	count = (size_t)CPU_COUNT(&set);
	return count < most ? count : most;
}

int pack_begin(struct file_sink *file, int level, struct pidmem_error *error)
{
	struct pack *pack = calloc(1, sizeof *pack);
	size_t threads = count_threads(level);

	if (!pack)
		return fail_memory(error);
	pack->level = level;
	pack->ring = ring_new(threads + 2, threads, RING_COMPUTES, compress, pack);
	if (!pack->ring) {
		free(pack);
		return fail_memory(error);
	}
	file->pack = pack;
	return 0;
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;
	ring_free(pack->ring);
	for (size_t i = 0; i < MOST_THREADS; i++)
		ZSTD_freeCCtx(pack->contexts[i]);
	for (size_t i = 0; i < MOST_SLOTS; i++) {
		free(pack->slots[i].in);
		free(pack->slots[i].out);
	}
	buffer_done(&pack->table);
	free(pack->zeros);
	free(pack);
}

static int fail_zstd(size_t code, struct pidmem_error *error)
{
	return fail(error, PIDMEM_SYSTEM, ENOMEM, "cannot compress: %s",
		    code ? ZSTD_getErrorName(code) : "out of memory");
}

static int append(struct pack *pack, struct file_sink *file, const char *bytes, size_t packed, size_t frames,
		  size_t content, struct pidmem_error *error)
{
	for (size_t i = 0; i < frames; i++)
		if (seek_entries_add(&pack->table, (uint32_t)packed, (uint32_t)content) < 0)
			return fail_memory(error);
	return file_append(file, bytes, packed * frames, error);
}

/* Of zeros there is one frame, and copies of it: by a context of the lowest level, which needs least. */
static int make_zeros(struct pack *pack, struct pidmem_error *error)
{
	static const char zeros[PACK_FRAME];
	char frame[4096];
	ZSTD_CCtx *context = make_context(1);
	size_t size = context ? ZSTD_compress2(context, frame, sizeof frame, zeros, sizeof zeros) : 0;

	ZSTD_freeCCtx(context);
	if (!size || ZSTD_isError(size))
		return fail_zstd(size, error);
	pack->zeros = malloc(size * ZEROS_AT_ONCE);
	if (!pack->zeros)
		return fail_memory(error);
	for (size_t i = 0; i < ZEROS_AT_ONCE; i++)
		memcpy(pack->zeros + i * size, frame, size);
	pack->zeros_size = size;
	return 0;
}

static int append_zeros(struct pack *pack, struct file_sink *file, uint64_t frames, struct pidmem_error *error)
{
	int result = pack->zeros ? 0 : make_zeros(pack, error);

	for (uint64_t left = frames, some; left && result == 0; left -= some) {
		some = left < ZEROS_AT_ONCE ? left : ZEROS_AT_ONCE;
		result = append(pack, file, pack->zeros, pack->zeros_size, (size_t)some, PACK_FRAME, error);
	}
	return result;
}

/* Write the oldest slot, and free it. */
static int take_slot(struct pack *pack, struct file_sink *file, struct pidmem_error *error)
{
	struct slot *slot = &pack->slots[ring_wait(pack->ring)];
	int result;

	if (slot->zeros)
		result = append_zeros(pack, file, slot->zeros, error);
	else if (!slot->packed || ZSTD_isError(slot->packed))
		result = fail_zstd(slot->packed, error);
	else
		result = append(pack, file, slot->out, slot->packed, 1, slot->filled, error);
	pack->pending -= slot->filled;
	slot->filled = 0;
	slot->zeros = 0;
	ring_take(pack->ring);
	return result;
}

/* The slot that is being filled; NULL with *result after a failure. */
static struct slot *find_slot(struct pack *pack, struct file_sink *file, struct pidmem_error *error, int *result)
{
	*result = ring_is_full(pack->ring) ? take_slot(pack, file, error) : 0;
	struct slot *slot = &pack->slots[ring_next(pack->ring)];

	if (*result < 0)
		return NULL;
	if (slot->in || ((slot->in = malloc(PACK_FRAME)) && (slot->out = malloc(ZSTD_compressBound(PACK_FRAME)))))
		return slot;
	*result = fail_memory(error);
	return NULL;
}

/* Bytes, or zeros where `bytes` is NULL. */
static int add(struct pack *pack, struct file_sink *file, const char *bytes, size_t size, struct pidmem_error *error)
{
	while (size) {
		int result;
		struct slot *slot = find_slot(pack, file, error, &result);
		if (!slot)
			return result;
		size_t piece = PACK_FRAME - slot->filled;
		piece = piece < size ? piece : size;
		if (bytes)
			memcpy(slot->in + slot->filled, bytes, piece);
		else
			memset(slot->in + slot->filled, 0, piece);
		slot->filled += piece;
		pack->pending += piece;
		bytes += bytes ? piece : 0;
		size -= piece;
		if (slot->filled == PACK_FRAME)
			ring_put(pack->ring);
	}
	return 0;
}

int pack_write(struct pack *pack, struct file_sink *file, const void *bytes, size_t size, struct pidmem_error *error)
{
	return add(pack, file, bytes, size, error);
}

/* Fill the frame that is begun; whole frames of zeros are not compressed again; begin another one with the rest. */
int pack_skip(struct pack *pack, struct file_sink *file, uint64_t size, struct pidmem_error *error)
{
	int result = 0;
	struct slot *slot = size ? find_slot(pack, file, error, &result) : NULL;

	if (!slot)
		return result;
	uint64_t first = slot->filled ? PACK_FRAME - slot->filled : 0;
	first = first < size ? first : size;
	uint64_t frames = (size - first) / PACK_FRAME;
	result = add(pack, file, NULL, (size_t)first, error);
	if (result == 0 && frames && (slot = find_slot(pack, file, error, &result))) {
		slot->zeros = frames;
		ring_put(pack->ring);
	}
	return result < 0 ? result : add(pack, file, NULL, (size_t)((size - first) % PACK_FRAME), error);
}

uint64_t pack_pending(const struct pack *pack)
{
	return pack->pending + pack->table.size;
}

int pack_flush(struct pack *pack, struct file_sink *file, struct pidmem_error *error)
{
	int result = 0;

	if (!ring_is_full(pack->ring) && pack->slots[ring_next(pack->ring)].filled)
		ring_put(pack->ring);
	while (result == 0 && !ring_is_empty(pack->ring))
		result = take_slot(pack, file, error);
	return result;
}

int pack_finish(struct pack *pack, struct file_sink *file, struct pidmem_error *error)
{
	int result = pack_flush(pack, file, error);

	if (result < 0)
		return result;
	return seek_entries_finish(&pack->table) < 0 ? fail_memory(error)
						     : file_append(file, pack->table.bytes, pack->table.size, error);
}
