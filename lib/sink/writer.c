/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sink/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ring.h"

/* Large enough for a disk to be busy with; two can be on their way while one is filled. */
#define SLOT (2UL << 20)
#define SLOTS 3
#define THREADS 1
/* Where direct writes begin and end: of no file system that wants more they are accepted. */
#define ALIGNMENT 4096UL
/* The disk takes ten times as long for a single page as the page cache does; from about here on it is the faster one.
 */
#define DIRECT_LEAST (256UL << 10)
/* So much may be in the page cache until it is on its way to the disk, and leaves the cache. */
#define CACHED_MOST (32UL << 20)
/* A slot of single pages. */
#define PIECES (SLOT / 4096)

/* In a slot it stands as far from a multiple of ALIGNMENT as in the file: direct writes want both. */
struct piece {
	uint64_t offset;
	size_t at, size;
};

struct slot {
	unsigned char *bytes;
	size_t size; /* up to the end of the last piece */
	struct piece pieces[PIECES];
	size_t count;
	int result;
};

struct writer {
	int fd, direct;
	bool begun; /* has the thread had something to do? */
	size_t cached;
	struct ring *ring;
	struct slot slots[SLOTS];
};

static int write_all(int fd, const unsigned char *bytes, size_t size, uint64_t offset, size_t *done)
{
	for (*done = 0; *done < size;) {
		ssize_t put = pwrite(fd, bytes + *done, size - *done, (off_t)(offset + *done));
		if (put < 0 && errno != EINTR)
			return -errno;
		*done += put > 0 ? (size_t)put : 0;
	}
	return 0;
}

/* What was on its way to the disk already is waited for, so that it can go, however slow the disk; the rest goes on its
 * way, and stays until the next time. */
static void drop_cached(struct writer *writer)
{
	if (writer->cached < CACHED_MOST)
		return;
	sync_file_range(writer->fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
	posix_fadvise(writer->fd, 0, 0, POSIX_FADV_DONTNEED);
	writer->cached = 0;
}

/* As much as can be, past the cache; the rest, and all where that is refused, in the ordinary way. */
static int write_piece(struct writer *writer, const unsigned char *bytes, const struct piece *piece)
{
	size_t done = 0, rest = 0;

	if (writer->direct >= 0 && piece->offset % ALIGNMENT == 0 && piece->size >= DIRECT_LEAST) {
		int result = write_all(writer->direct, bytes, piece->size & ~(ALIGNMENT - 1), piece->offset, &rest);
		if (result < 0 && result != -EINVAL)
			return result;
	}
	writer->cached += piece->size - rest;
	drop_cached(writer);
	return write_all(writer->fd, bytes + rest, piece->size - rest, piece->offset + rest, &done);
}

static int write_slot(struct writer *writer, const struct slot *slot)
{
	int result = 0;

	for (size_t i = 0; i < slot->count && result == 0; i++)
		result = write_piece(writer, slot->bytes + slot->pieces[i].at, &slot->pieces[i]);
	return result;
}

static void empty_slot(struct slot *slot)
{
	slot->size = slot->count = 0;
}

static void work(void *user, size_t index, size_t thread)
{
	struct writer *writer = user;

	(void)thread;
	writer->slots[index].result = write_slot(writer, &writer->slots[index]);
}

struct writer *writer_new(int fd)
{
	struct writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		return NULL;
	writer->fd = fd;
	writer->direct = -1;
	writer->ring = ring_new(SLOTS, THREADS, RING_WAITS, work, writer);
	if (writer->ring)
		return writer;
	free(writer);
	return NULL;
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	ring_free(writer->ring);
	for (size_t i = 0; i < SLOTS; i++)
		free(writer->slots[i].bytes);
	cleanup_fd(&writer->direct);
	free(writer);
}

/* Only when there is more than a slot of it. */
static void begin(struct writer *writer)
{
	char self[32];

	snprintf(self, sizeof self, "/dev/fd/%d", writer->fd);
	writer->direct = open(self, O_WRONLY | O_DIRECT | O_CLOEXEC);
	writer->begun = true;
}

static void put_slot(struct writer *writer)
{
	if (!writer->begun)
		begin(writer);
	ring_put(writer->ring);
}

static int take_slot(struct writer *writer)
{
	struct slot *slot = &writer->slots[ring_wait(writer->ring)];

	empty_slot(slot);
	ring_take(writer->ring);
	return slot->result;
}

static bool goes_on(const struct slot *slot, uint64_t offset)
{
	const struct piece *last = slot->count ? &slot->pieces[slot->count - 1] : NULL;

	return last && last->offset + last->size == offset;
}

/* Where in a slot a new piece begins. */
static size_t place(const struct slot *slot, uint64_t offset)
{
	return slot->size + (size_t)((offset - slot->size) % ALIGNMENT);
}

/* The slot to be filled from an offset on, and its piece. */
static int find_slot(struct writer *writer, uint64_t offset, struct slot **out)
{
	struct slot *slot = &writer->slots[ring_next(writer->ring)];
	int result;

	if (!ring_is_full(writer->ring) && !goes_on(slot, offset) &&
	    (slot->count == PIECES || place(slot, offset) >= SLOT)) {
		put_slot(writer);
		slot = &writer->slots[ring_next(writer->ring)];
	}
	if (ring_is_full(writer->ring) && (result = take_slot(writer)) < 0)
		return result;
	if (!slot->bytes && !(slot->bytes = aligned_alloc(ALIGNMENT, SLOT)))
		return -ENOMEM;
	if (!goes_on(slot, offset)) {
		slot->size = place(slot, offset);
		slot->pieces[slot->count++] = (struct piece){ .offset = offset, .at = slot->size };
	}
	*out = slot;
	return 0;
}

int writer_put(struct writer *writer, const void *bytes, size_t size, uint64_t offset)
{
	const unsigned char *from = bytes;
	struct slot *slot;

	while (size) {
		int result = find_slot(writer, offset, &slot);
		if (result < 0)
			return result;
		size_t piece = SLOT - slot->size;
		piece = piece < size ? piece : size;
		memcpy(slot->bytes + slot->size, from, piece);
		slot->size += piece;
		slot->pieces[slot->count - 1].size += piece;
		from += piece;
		offset += piece;
		size -= piece;
		if (slot->size == SLOT)
			put_slot(writer);
	}
	return 0;
}

int writer_finish(struct writer *writer)
{
	struct slot *slot = &writer->slots[ring_next(writer->ring)];
	int result = 0;

	if (!ring_is_full(writer->ring) && slot->size && writer->begun) {
		put_slot(writer);
	} else if (!ring_is_full(writer->ring) && slot->size) { /* all there is: no thread for that */
		result = write_slot(writer, slot);
		empty_slot(slot);
	}
	while (!ring_is_empty(writer->ring)) {
		int written = take_slot(writer);
		result = result < 0 ? result : written;
	}
	return result;
}
