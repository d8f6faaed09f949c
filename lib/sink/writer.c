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

struct slot {
	unsigned char *bytes;
	uint64_t offset;
	size_t size;
	int result;
};

struct writer {
	int fd, direct;
	bool begun; /* has the thread had something to do? */
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

/* As much as can be, past the cache; the rest, and all where that is refused, in the ordinary way. */
static int write_slot(const struct writer *writer, const struct slot *slot)
{
	size_t done = 0, aligned = slot->offset % ALIGNMENT ? 0 : slot->size & ~(ALIGNMENT - 1);

	if (writer->direct >= 0 && aligned) {
		int result = write_all(writer->direct, slot->bytes, aligned, slot->offset, &done);
		if (result < 0 && result != -EINVAL)
			return result;
	}
	size_t rest = done;
	return write_all(writer->fd, slot->bytes + rest, slot->size - rest, slot->offset + rest, &done);
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
	writer->ring = ring_new(SLOTS, THREADS, work, writer);
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

	slot->size = 0;
	ring_take(writer->ring);
	return slot->result;
}

/* The slot to be filled from an offset on. */
static int find_slot(struct writer *writer, uint64_t offset, struct slot **out)
{
	struct slot *slot = &writer->slots[ring_next(writer->ring)];
	int result;

	if (!ring_is_full(writer->ring) && slot->size && slot->offset + slot->size != offset) {
		put_slot(writer);
		slot = &writer->slots[ring_next(writer->ring)];
	}
	if (ring_is_full(writer->ring) && (result = take_slot(writer)) < 0)
		return result;
	if (!slot->bytes && !(slot->bytes = aligned_alloc(ALIGNMENT, SLOT)))
		return -ENOMEM;
	if (!slot->size)
		slot->offset = offset;
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
		slot->size = 0;
	}
	while (!ring_is_empty(writer->ring)) {
		int written = take_slot(writer);
		result = result < 0 ? result : written;
	}
	return result;
}
