/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/page_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/read.h"

/* Direct writes begin and end there, on all but a few file systems. */
#define ALIGNMENT 4096UL

/* What was a pool: this, its list, and from the next multiple of ALIGNMENT on its bytes. */
struct block {
	uint64_t count, size;
};

void page_log_close(struct page_log *log)
{
	file_close(&log->file);
	free(take(log->blocks));
}

static uint64_t table_size(const struct block *block)
{
	return (sizeof *block + block->count * sizeof(struct page_region) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static bool is_open(struct page_log *log)
{
	if (log->file.fd >= 0 || !log->directory)
		return log->file.fd >= 0;
	if (file_open_unnamed(&log->file, log->directory, NULL) < 0) {
		file_close(&log->file);
		log->directory = NULL;
		return false;
	}
	if (log->file.temporary) /* it never gets another name */
		unlink(log->file.temporary);
	free(take(log->file.temporary));
	return true;
}

static bool has_room(const struct page_log *log, uint64_t size)
{
	struct statvfs system;

	if (fstatvfs(log->file.fd, &system) < 0)
		return true;
	uint64_t room = system.f_bavail * system.f_frsize + log->size;
	return log->size + size <= room / 2 / log->sharers;
}

/* There are other ways than with a log. */
static int refuse(int result, struct pidmem_error *error)
{
	if (result == 0)
		return 0;
	return fail(error, PIDMEM_UNSUPPORTED, -result, "what it writes cannot be kept beside the output: %s",
		    strerror(-result));
}

int page_log_add(struct page_log *log, struct page_pool *pool, struct pidmem_error *error)
{
	struct block block = { pool->list.count, pool->used };
	uint64_t size = table_size(&block);

	if (!is_open(log) || !has_room(log, size + block.size))
		return 0;
	AUTO_FREE unsigned char *table = calloc(1, size);
	uint64_t *blocks = array_grow(log->blocks, log->count, &log->capacity, sizeof *blocks);
	log->blocks = blocks ? blocks : log->blocks;
	if (!table || !blocks)
		return fail_memory(error);
	memcpy(table, &block, sizeof block);
	memcpy(table + sizeof block, pool->list.items, block.count * sizeof *pool->list.items);
	int result = file_put_at(&log->file, table, size, log->size, NULL);
	if (result == 0)
		result = file_put_at(&log->file, pool->bytes, block.size, log->size + size, NULL);
	if (result < 0)
		return refuse(result, error);
	blocks[log->count++] = log->size;
	log->size += size + block.size;
	page_pool_clear(pool);
	return 1;
}

int page_log_settle(struct page_log *log, struct pidmem_error *error)
{
	return refuse(file_end_put(&log->file, NULL), error);
}

static int read_all(const struct page_log *log, void *bytes, size_t size, uint64_t offset, struct pidmem_error *error)
{
	ssize_t got;

	/* What ends a read early is told by the next one. */
	for (size_t done = 0; done < size; done += (size_t)got) {
		got = read_at(log->file.fd, (char *)bytes + done, size - done, offset + done);
		if (got <= 0)
			return fail_sys(error, got < 0 ? (int)-got : EIO, "cannot read again what was copied");
	}
	return 0;
}

/* Its place is free then, on the disk and in the page cache. */
static int drop_last(struct page_log *log, struct pidmem_error *error)
{
	log->size = log->blocks[--log->count];
	if (ftruncate(log->file.fd, (off_t)log->size) < 0)
		return fail_sys(error, errno, "cannot make a file shorter");
	return 1;
}

int page_log_take(struct page_log *log, struct page_pool *pool, struct pidmem_error *error)
{
	struct block block;
	int result;

	if (log->count == 0)
		return 0;
	uint64_t offset = log->blocks[log->count - 1];
	if ((result = page_log_settle(log, error)) < 0 ||
	    (result = read_all(log, &block, sizeof block, offset, error)) < 0)
		return result;
	struct page_region *items = page_pool_refill(pool, block.count, block.size);
	if (!items)
		return fail_memory(error);
	if ((result = read_all(log, items, block.count * sizeof *items, offset + sizeof block, error)) < 0 ||
	    (result = read_all(log, pool->bytes, block.size, offset + table_size(&block), error)) < 0)
		return result;
	return drop_last(log, error);
}
