/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LINK_H
#define BASE_LINK_H

#include <dirent.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/text.h"

/* Does a symbolic link in an open directory begin with these bytes, at most 63? So links of /proc/PID/fd tell what is
 * open: a path, or "anon_inode:[userfaultfd]" (proc_pid_fd(5)). */
static inline bool link_begins(DIR *list, const char *name, const char *wanted)
{
	char target[64];
	ssize_t size = readlinkat(dirfd(list), name, target, sizeof target);

	return size >= 0 && bytes_begin(target, (size_t)size, wanted);
}

#endif
