/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Release at the end of the scope. Each resource has one macro; `take()` hands it on to an owner. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Give a function for CLEANUP() to a destructor that takes a pointer. */
#define DEFINE_CLEANUP(name, type, destructor) \
	static inline void name(type *pointer) \
	{                                      \
		if (*pointer)                  \
			destructor(*pointer);  \
	}

/* Hand a pointer on: its value, and NULL left behind. */
#define take(pointer)                           \
	({                                      \
		__auto_type taken_ = (pointer); \
		(pointer) = NULL;               \
		taken_;                         \
	})

static inline void cleanup_fd(const int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define AUTO_FD CLEANUP(cleanup_fd) int

static inline int take_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

DEFINE_CLEANUP(cleanup_dir, DIR *, closedir)

/* opendir(3) below an open directory; NULL and errno on failure. */
static inline DIR *open_directory_at(int dir, const char *name)
{
	AUTO_FD fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (list)
		take_fd(&fd);
	return list;
}

#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_DIR CLEANUP(cleanup_dir) DIR *

#endif
