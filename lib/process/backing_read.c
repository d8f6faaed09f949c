/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file or shared-memory object holds. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read.h"
#include "process/backing.h"

uint64_t backing_size_now(const struct backing *backing)
{
	struct stat status;

	return fstat(backing->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

uint64_t backing_extent(const struct backing *backing, uint64_t offset, uint64_t size, uint64_t least, bool *hole)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end = (backing->size + page - 1) & ~(page - 1);

	*hole = false;
	if (offset >= end)
		return 0;
	if (size > end - offset)
		size = end - offset;
	off_t data = size < least ? (off_t)offset : lseek(backing->fd, (off_t)offset, SEEK_DATA);
	if (data < 0 && errno == ENXIO) { /* nothing but a hole up to the end, or the end is not where it was */
		*hole = offset < backing_size_now(backing);
		return size;
	}
	uint64_t data_page = data < 0 ? offset : (uint64_t)data / page * page; /* < 0: the file system cannot tell */
	*hole = data_page >= offset + least;
	return *hole && data_page - offset < size ? data_page - offset : size;
}

/*
 * What lies behind the end of the file in its last page: zeros, unless somebody wrote there through a shared mapping.
 * read(2) does not tell, a mapping does; read through /proc/self/mem, so that a file cut meanwhile is no SIGBUS. The
 * range lies within one page.
 */
static void read_tail(const struct backing *backing, uint64_t offset, unsigned char *bytes, size_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start = offset / page * page;
	void *mapping = mmap(NULL, page, PROT_READ, MAP_SHARED, backing->fd, (off_t)start);
	AUTO_FD mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	memset(bytes, 0, size);
	if (mapping == MAP_FAILED)
		return;
	if (mem < 0 || pread(mem, bytes, size, (off_t)((uintptr_t)mapping + (offset - start))) != (ssize_t)size)
		memset(bytes, 0, size);
	munmap(mapping, page);
}

ssize_t backing_read(const struct backing *backing, uint64_t offset, void *bytes, size_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	ssize_t got = read_at(backing->fd, bytes, size, offset);

	if (got < 0)
		return got;
	size_t done = (size_t)got;
	size_t into_page = (size_t)((offset + done) % page);
	if (done == size || into_page == 0)
		return (ssize_t)done;
	size_t tail = page - into_page < size - done ? (size_t)(page - into_page) : size - done;
	read_tail(backing, offset + done, (unsigned char *)bytes + done, tail);
	return (ssize_t)(done + tail);
}
