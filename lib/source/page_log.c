/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "source/page_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"

/* Direct writes begin and end there, on all but a few file systems. */
#define ALIGNMENT 4096UL
/* So much is read at once: it stays in the processor's cache. */
#define PIECE (256UL << 10)

/* What was a pool: this, its list, and from the next multiple of ALIGNMENT on its bytes. */
struct block {
	uint64_t count, size;
};

void page_log_close(struct page_log *log)
{
	file_close(&log->file);
}

static uint64_t table_size(const struct block *block)
{
	return (sizeof *block + block->count * sizeof(struct page_region) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static bool has_room(struct page_log *log, uint64_t size)
{
	struct statvfs system;

	if (log->file.fd < 0 && file_open_unnamed(&log->file, log->directory, NULL) < 0)
		return false;
	return fstatvfs(log->file.fd, &system) < 0 || log->size + 2 * size <= system.f_bavail * system.f_frsize;
}

int page_log_add(struct page_log *log, struct page_pool *pool, struct pidmem_error *error)
{
	struct block block = { pool->list.count, pool->used };
	uint64_t size = table_size(&block);

	if (!has_room(log, size + block.size))
		return 0;
	AUTO_FREE unsigned char *table = calloc(1, size);
	if (!table)
		return fail_memory(error);
	memcpy(table, &block, sizeof block);
	memcpy(table + sizeof block, pool->list.items, block.count * sizeof *pool->list.items);
	int result = file_put_at(&log->file, table, size, log->size, error);
	if (result == 0)
		result = file_put_at(&log->file, pool->bytes, block.size, log->size + size, error);
	if (result < 0)
		return result;
	log->size += size + block.size;
	page_pool_clear(pool);
	return 1;
}

static int read_all(const struct page_log *log, void *bytes, size_t size, uint64_t offset, struct pidmem_error *error)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(log->file.fd, (char *)bytes + done, size - done, (off_t)(offset + done));
		if (got <= 0 && !(got < 0 && errno == EINTR))
			return fail_sys(error, got < 0 ? errno : EIO, "cannot read again what was copied");
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

/* Bytes of a block, one after another. */
struct reader {
	const struct page_log *log;
	uint64_t offset, left; /* in the file */
	unsigned char *piece, *at;
	size_t size; /* from `at` on */
};

static int write_run(struct reader *reader, const struct page_region *run, struct store *store,
		     struct pidmem_error *error)
{
	uint64_t start = run->start, size;
	int result = 0;

	for (; start < run->end && result == 0; start += size) {
		if (reader->size == 0) {
			reader->at = reader->piece;
			reader->size = reader->left < PIECE ? (size_t)reader->left : PIECE;
			if ((result = read_all(reader->log, reader->at, reader->size, reader->offset, error)) < 0)
				return result;
			reader->offset += reader->size;
			reader->left -= reader->size;
		}
		size = run->end - start < reader->size ? run->end - start : reader->size;
		result = store_write(store, start, reader->at, size, error);
		reader->at += size;
		reader->size -= (size_t)size;
	}
	return result;
}

static int write_block(struct reader *reader, struct store *store, struct pidmem_error *error)
{
	struct block block;
	int result = read_all(reader->log, &block, sizeof block, reader->offset, error);

	if (result < 0)
		return result;
	AUTO_FREE struct page_region *runs = calloc(block.count, sizeof *runs);
	if (!runs)
		return fail_memory(error);
	result = read_all(reader->log, runs, block.count * sizeof *runs, reader->offset + sizeof block, error);
	reader->offset += table_size(&block);
	reader->left = block.size;
	for (size_t i = 0; i < block.count && result == 0; i++)
		result = page_run_is_zero(&runs[i])
				 ? store_clear(store, runs[i].start, runs[i].end - runs[i].start, error)
				 : write_run(reader, &runs[i], store, error);
	return result;
}

int page_log_flush(struct page_log *log, struct store *store, struct watch *watch, struct pidmem_error *error)
{
	AUTO_FREE unsigned char *piece = log->size ? malloc(PIECE) : NULL;
	struct reader reader = { .log = log, .piece = piece };
	int result = file_flush(&log->file, error);

	if (result == 0 && log->size && !piece)
		return fail_memory(error);
	while (reader.offset < log->size && result == 0) {
		uint64_t begin = reader.offset;
		result = watch_ask(watch) ? file_cancelled(error) : write_block(&reader, store, error);
		posix_fadvise(log->file.fd, (off_t)begin, (off_t)(reader.offset - begin), POSIX_FADV_DONTNEED);
	}
	log->size = 0;
	return result;
}
