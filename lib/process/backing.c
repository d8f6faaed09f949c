/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "process/maps.h"
#include "process/process.h"

/* Overlay and btrfs report another device number to stat(2) than /proc/PID/maps shows; inode numbers agree. */
static bool device_differs_by_design(int fd)
{
	struct statfs status;

	return fstatfs(fd, &status) == 0 && (status.f_type == OVERLAYFS_SUPER_MAGIC ||
					     status.f_type == (__typeof__(status.f_type))BTRFS_SUPER_MAGIC);
}

static bool is_wanted(int fd, const struct pidmem_region *region)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_ino == region->inode &&
	       ((major(status.st_dev) == region->dev_major && minor(status.st_dev) == region->dev_minor) ||
		device_differs_by_design(fd));
}

/*
 * Only a regular file may be opened, since opening a device can have effects: look first, through a descriptor that
 * opens nothing, and then open what was looked at. Reading should not even change the access time, but O_NOATIME is for
 * the owner and root.
 */
static int open_wanted(int dir, const char *path, const struct pidmem_region *region, bool *regular)
{
	AUTO_FD found = openat(dir, path, O_PATH | O_CLOEXEC);
	char self[32];

	if (found < 0 || !is_wanted(found, region))
		return -1;
	*regular = true;
	snprintf(self, sizeof self, "/proc/self/fd/%d", found);
	int fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
	return fd >= 0 ? fd : open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* One of the target's own descriptors may refer to it: a memfd, or a file that was deleted. */
static int open_by_descriptor(const struct pidmem_process *process, const struct pidmem_region *region, bool *regular)
{
	int list = openat(process->memory_dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -1;
	AUTO_DIR dir = list < 0 ? NULL : fdopendir(list);

	for (const struct dirent *entry; dir && found < 0 && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			found = open_wanted(list, entry->d_name, region, regular);
	return found;
}

/*
 * /proc/PID/map_files (Linux 3.3) is exact and works for everything, but needs CAP_SYS_ADMIN or, since 5.9,
 * CAP_CHECKPOINT_RESTORE in the initial user namespace. Else the path as the target sees it, its program, its
 * descriptors.
 */
static int open_backing(const struct pidmem_process *process, const struct pidmem_region *region, bool *regular)
{
	char path[4096 + 8];
	int fd;

	snprintf(path, sizeof path, "map_files/%llx-%llx", (unsigned long long)region->start,
		 (unsigned long long)(region->start + region->size));
	fd = open_wanted(process->dir, path, region, regular);
	if (fd < 0 && region_has_named_file(region) &&
	    (size_t)snprintf(path, sizeof path, "root%s", region->path) < sizeof path)
		fd = open_wanted(process->memory_dir, path, region, regular);
	if (fd < 0)
		fd = open_wanted(process->memory_dir, "exe", region, regular);
	if (fd < 0)
		fd = open_by_descriptor(process, region, regular);
	return fd;
}

/* Shared memory whose name says so: made by the kernel, a regular file on its internal tmpfs. */
static bool is_shared_memory(const struct pidmem_region *region)
{
	return region->path[0] == '/' && !region_has_named_file(region);
}

static bool same(const struct backing *backing, const struct pidmem_region *region)
{
	return backing->used && backing->inode == region->inode && backing->dev_major == region->dev_major &&
	       backing->dev_minor == region->dev_minor;
}

static void drop(struct backing *backing)
{
	if (backing->used && backing->state == BACKING_OPEN)
		close(backing->fd);
	*backing = (struct backing){ 0 };
}

void backings_done(struct backings *backings)
{
	for (unsigned i = 0; i < BACKINGS; i++)
		drop(&backings->items[i]);
}

static void drop_others(struct backings *backings, const struct backing *kept)
{
	for (unsigned i = 0; i < BACKINGS; i++)
		if (&backings->items[i] != kept)
			drop(&backings->items[i]);
}

static struct backing *find(struct backings *backings, const struct pidmem_region *region)
{
	for (unsigned i = 0; i < BACKINGS; i++)
		if (same(&backings->items[i], region))
			return &backings->items[i];
	return NULL;
}

static struct backing *add(struct backings *backings, const struct pidmem_process *process,
			   const struct pidmem_region *region)
{
	struct backing *backing = &backings->items[backings->next++ % BACKINGS];
	bool regular = is_shared_memory(region);

	drop(backing);
	*backing = (struct backing){
		.used = true, .inode = region->inode, .dev_major = region->dev_major, .dev_minor = region->dev_minor
	};
	backing->fd = open_backing(process, region, &regular);
	if (backing->fd < 0 && errno == EMFILE) { /* a low limit of descriptors: make do with one file at a time */
		drop_others(backings, backing);
		backing->fd = open_backing(process, region, &regular);
	}
	backing->state = backing->fd >= 0 ? BACKING_OPEN : regular ? BACKING_UNREACHABLE : BACKING_UNKNOWN;
	return backing;
}

const struct backing *backing_of(struct backings *backings, struct pidmem_process *process,
				 const struct pidmem_region *region)
{
	struct backing *backing = find(backings, region);
	struct stat status;

	if (!backing)
		backing = add(backings, process, region);
	if (backing->state == BACKING_OPEN && fstat(backing->fd, &status) == 0)
		backing->size = (uint64_t)status.st_size;
	return backing;
}

uint64_t backing_extent(const struct backing *backing, uint64_t offset, uint64_t size, bool *hole)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end = (backing->size + page - 1) & ~(page - 1);

	*hole = false;
	if (offset >= end)
		return 0;
	if (size > end - offset)
		size = end - offset;
	off_t data = lseek(backing->fd, (off_t)offset, SEEK_DATA);
	if (data < 0) /* ENXIO: nothing but a hole up to the end; else the file system cannot tell */
		*hole = errno == ENXIO && offset < backing->size;
	else if ((uint64_t)data - (uint64_t)data % page > offset) {
		*hole = true;
		size = (uint64_t)data - (uint64_t)data % page - offset < size
			       ? (uint64_t)data - (uint64_t)data % page - offset
			       : size;
	}
	return size;
}

/*
 * What lies behind the end of the file in its last page: zeros, unless somebody wrote there through a shared mapping.
 * read(2) does not tell, a mapping does; read through /proc/self/mem, so that a file cut meanwhile is no SIGBUS.
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

int backing_read(const struct backing *backing, uint64_t offset, void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(backing->fd, (char *)bytes + done, size - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	if (done < size)
		read_tail(backing, offset + done, (unsigned char *)bytes + done, size - done);
	return 0;
}
