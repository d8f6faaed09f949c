/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/access/userns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/buffer.h"

/* PROC_USER_INIT_INO of include/linux/proc_ns.h: the initial user namespace; fixed since Linux 3.8. */
#define INITIAL_USERNS 0xEFFFFFFDU

/* The kernel nests them at most 32 deep (create_user_ns). */
#define USERNS_DEPTH 33

/* One line of uid_map: `count` IDs from `inside` on are those from `outside` on. */
struct extent {
	uint64_t inside, outside, count;
};

/* The next line of a uid_map; NULL behind the last one. */
static const char *next_extent(const char *text, struct extent *extent)
{
	unsigned inside, outside, count;
	int length = 0;

	if (sscanf(text, "%u %u %u%n", &inside, &outside, &count, &length) < 3)
		return NULL;
	*extent = (struct extent){ inside, outside, count };
	return text + length;
}

/* Does the namespace with this map have the IDs from `start` on? A range may go over several lines of the map. */
static bool maps_range(const char *map, uint64_t start, uint64_t count)
{
	struct extent extent;

	for (const char *at = map; count && (at = next_extent(at, &extent));) {
		if (start < extent.inside || start - extent.inside >= extent.count)
			continue;
		uint64_t there = extent.count - (start - extent.inside);
		if (there >= count)
			return true;
		start += there;
		count -= there;
		at = map;
	}
	return count == 0;
}

static uid_t root_of(const char *map)
{
	struct extent extent;

	for (const char *at = map; (at = next_extent(at, &extent));)
		if (extent.inside == 0)
			return (uid_t)extent.outside;
	return OVERFLOW_ID;
}

/*
 * A namespace below ours maps nothing but IDs that we have; one above ours has more than we do. Two that stand
 * beside each other can look alike, so that this alone leaves a doubt.
 */
struct userns userns_compare_maps(const char *self, const char *target)
{
	struct userns userns = { .overflow = !maps_range(self, OVERFLOW_ID, 1) };
	struct extent extent;

	if (!strcmp(self, target))
		return userns;
	userns.root_uid = root_of(target);
	userns.relation = USERNS_BELOW;
	for (const char *at = target; (at = next_extent(at, &extent));)
		if (!maps_range(self, extent.outside, extent.count))
			userns.relation = USERNS_OTHER;
	return userns;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Go up from the target's namespace (Linux 4.9); the kernel refuses to show what lies outside of ours. */
static enum userns_relation climb(int fd, const struct stat *ours)
{
	AUTO_FD at = fd;
	struct stat seen;

	for (unsigned depth = 0; at >= 0 && depth < USERNS_DEPTH; depth++) {
		if (fstat(at, &seen) < 0)
			break;
		if (same_file(&seen, ours))
			return depth ? USERNS_BELOW : USERNS_SAME;
		int parent = ioctl(at, NS_GET_PARENT);
		close(at);
		at = parent;
	}
	return USERNS_OTHER;
}

struct userns userns_compare(int root, const char *self, const char *target)
{
	AUTO_BUFFER ours = { 0 }, theirs = { 0 };
	struct userns userns = { .relation = USERNS_SAME };
	struct stat own_ns = { 0 };
	char path[64];

	snprintf(path, sizeof path, "%s/uid_map", self);
	int own_error = buffer_read_file(&ours, root, path);
	snprintf(path, sizeof path, "%s/uid_map", target);
	int error = buffer_read_file(&theirs, root, path);
	if (own_error == -ENOENT && error == -ENOENT)
		return userns; /* a kernel without user namespaces */
	if (own_error < 0 || error < 0)
		return (struct userns){ .relation = USERNS_UNKNOWN };
	userns = userns_compare_maps(ours.bytes, theirs.bytes);

	snprintf(path, sizeof path, "%s/ns/user", self);
	if (fstatat(root, path, &own_ns, 0) < 0)
		return userns;
	snprintf(path, sizeof path, "%s/ns/user", target);
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		userns.relation = climb(fd, &own_ns);
	} else if (own_ns.st_ino == INITIAL_USERNS) {
		userns.relation = userns.relation == USERNS_SAME ? USERNS_SAME : USERNS_BELOW; /* all are below it */
	} else {
		userns.doubtful = true;
	}
	return userns;
}
