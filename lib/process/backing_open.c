/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the file of a region, and opening it without an effect on anybody. */
#include "process/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

#include "process/maps.h"
#include "process/process.h"

/* How a file was found: what is still to be proved. */
enum found { BY_MAPPING, BY_NAME, BY_LINK };

static bool has_type(int fd, const __fsword_t *types, size_t count)
{
	struct statfs status;

	if (fstatfs(fd, &status) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (status.f_type == types[i])
			return true;
	return false;
}
#define HAS_TYPE(fd, ...)                                 \
	has_type(fd, (const __fsword_t[]){ __VA_ARGS__ }, \
		 sizeof((const __fsword_t[]){ __VA_ARGS__ }) / sizeof(__fsword_t))

/* What such a "regular file" maps can be the memory of a device: /sys/bus/pci/devices/.../resource0. */
static bool is_of_the_kernel(int fd)
{
	return HAS_TYPE(fd, SYSFS_MAGIC, PROC_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC);
}

/* Does the text of a link, such as fd/3, name the region? */
static bool is_linked_name(int dir, const char *link, const struct pidmem_region *region)
{
	char text[4096];
	ssize_t length = readlinkat(dir, link, text, sizeof text);

	return length > 0 && (size_t)length >= region->path_size && !memcmp(text, region->path, region->path_size) &&
	       ((size_t)length == region->path_size || region->deleted);
}

/*
 * Overlay and btrfs report another device number to stat(2) than maps shows, and there inode numbers alone prove
 * little: the name must agree as well.
 */
static bool is_the_file(int fd, const struct stat *status, const struct pidmem_region *region, enum found found,
			int dir, const char *path)
{
	if (found == BY_MAPPING) /* another mapping may be there by now */
		return status->st_ino == region->inode ||
		       (!HAS_TYPE(fd, TMPFS_MAGIC, HUGETLBFS_MAGIC) && is_linked_name(dir, path, region));
	if (status->st_ino != region->inode)
		return false;
	if (major(status->st_dev) == region->dev_major && minor(status->st_dev) == region->dev_minor)
		return true;
	return HAS_TYPE(fd, OVERLAYFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC) &&
	       (found == BY_NAME || is_linked_name(dir, path, region));
}

/* When the process began, in seconds of CLOCK_REALTIME. */
static time_t began(const struct pidmem_process *process)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	const struct pidmem_process *origin = process->origin ? process->origin : process;
	return real.tv_sec - boot.tv_sec + (time_t)(origin->start_time / (uint64_t)sysconf(_SC_CLK_TCK));
}

/*
 * On an overlay, a file that was mapped from a lower layer and then written to elsewhere is another file under the same
 * name: the mapping keeps the old content. A file that changed since the process began cannot be told from that.
 */
static bool may_be_copied_up(int fd, const struct stat *status, const struct pidmem_process *process,
			     const struct pidmem_region *region)
{
	bool written_through = region->perms & PIDMEM_PERM_SHARED && region->perms & PIDMEM_PERM_WRITE;

	return !written_through && status->st_ctime >= began(process) - 1 && HAS_TYPE(fd, OVERLAYFS_SUPER_MAGIC);
}

/*
 * Only a regular file may be opened, since opening a device can have effects: look first, through a descriptor that
 * opens nothing, and then open what was looked at. Reading should not even change the access time, but O_NOATIME is for
 * the owner and root.
 */
static int open_looked_at(int looked)
{
	char self[32];

	snprintf(self, sizeof self, "/proc/self/fd/%d", looked);
	int fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
	return fd >= 0 ? fd : open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int backing_open_named(struct backing *backing, const char *path, struct stat *status)
{
	AUTO_FD looked = open(path, O_PATH | O_CLOEXEC);

	if (looked < 0 || fstat(looked, status) < 0)
		return -errno;
	if (!S_ISREG(status->st_mode) || is_of_the_kernel(looked))
		return -EINVAL;
	int fd = open_looked_at(looked);
	if (fd < 0)
		return -errno;
	*backing = (struct backing){ .state = BACKING_OPEN, .fd = fd, .size = (uint64_t)status->st_size };
	return 0;
}

static int look_for(const struct pidmem_process *process, const struct pidmem_region *region, enum found found, int dir,
		    const char *path, bool *regular, struct stat *status)
{
	AUTO_FD looked = openat(dir, path, O_PATH | O_CLOEXEC);

	if (looked < 0 || fstat(looked, status) < 0 || !S_ISREG(status->st_mode) || is_of_the_kernel(looked) ||
	    !is_the_file(looked, status, region, found, dir, path))
		return -1;
	*regular = true;
	return may_be_copied_up(looked, status, process, region) ? -1 : take_fd(&looked);
}

static int open_wanted(const struct pidmem_process *process, const struct pidmem_region *region, enum found found,
		       int dir, const char *path, bool *regular)
{
	struct stat status;
	AUTO_FD looked = look_for(process, region, found, dir, path, regular, &status);

	return looked < 0 ? -1 : open_looked_at(looked);
}

bool backing_stat(const struct pidmem_process *process, const struct pidmem_region *region, struct stat *status)
{
	char path[4096 + 8];
	bool regular;

	snprintf(path, sizeof path, "map_files/%llx-%llx", (unsigned long long)region->start,
		 (unsigned long long)(region->start + region->size));
	AUTO_FD looked = look_for(process, region, BY_MAPPING, process->dir, path, &regular, status);
	if (looked < 0 && (size_t)snprintf(path, sizeof path, "root%s", region->path) < sizeof path)
		looked = look_for(process, region, BY_NAME, process->memory_dir, path, &regular, status);
	return looked >= 0;
}

/* One of the target's own descriptors may refer to it: a memfd, or a file that was deleted. A copy has none. */
static int open_by_descriptor(const struct pidmem_process *process, const struct pidmem_region *region, bool *regular)
{
	AUTO_DIR dir = open_directory_at(process->origin ? process->origin->memory_dir : process->memory_dir, "fd");
	int found = -1;

	for (const struct dirent *entry; dir && found < 0 && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			found = open_wanted(process, region, BY_LINK, dirfd(dir), entry->d_name, regular);
	return found;
}

/*
 * /proc/PID/map_files (Linux 3.3) is exact and works for everything, but needs CAP_SYS_ADMIN or, since 5.9,
 * CAP_CHECKPOINT_RESTORE in the initial user namespace. Else the path as the target sees it, its program, its
 * descriptors.
 */
int backing_open(const struct pidmem_process *process, const struct pidmem_region *region, bool *regular, bool *gone)
{
	char path[4096 + 8];
	int fd;

	snprintf(path, sizeof path, "map_files/%llx-%llx", (unsigned long long)region->start,
		 (unsigned long long)(region->start + region->size));
	fd = open_wanted(process, region, BY_MAPPING, process->dir, path, regular);
	*gone = fd < 0 && errno == ENOENT;
	if (fd < 0 && region_has_named_file(region) &&
	    (size_t)snprintf(path, sizeof path, "root%s", region->path) < sizeof path)
		fd = open_wanted(process, region, BY_NAME, process->memory_dir, path, regular);
	if (fd < 0)
		fd = open_wanted(process, region, BY_LINK, process->memory_dir, "exe", regular);
	if (fd < 0)
		fd = open_by_descriptor(process, region, regular);
	return fd;
}
