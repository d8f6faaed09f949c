/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names for output files: temporary ones, and the final one when all is written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "sink/name.h"

int file_make_temporary(const char *path, int (*make)(const char *name, const void *user), const void *user, char **out)
{
	const char *slash = strrchr(path, '/');
	int prefix = slash ? (int)(slash + 1 - path) : 0, result = -EEXIST;

	/* Names may be left from a process of this number that was killed, or be in use on another machine. */
	for (unsigned number = 0; number < 10000 && result == -EEXIST; number++) {
		AUTO_FREE char *name = NULL;
		/* Not made from the name of the file, which may be as long as names can be. */
		if (asprintf(&name, "%.*s.pidmem.%d.%u", prefix, path, getpid(), number) < 0)
			return -ENOMEM;
		result = make(name, user);
		if (result >= 0)
			*out = take(name);
	}
	return result;
}

/* A file without a name gets one: the final one, or a temporary one that can then replace the final one. */
int file_link_as(const char *name, const void *user)
{
	const struct file_sink *file = user;
	char self[64];

	/* For whoever opened the file since Linux 6.10, before that with CAP_DAC_READ_SEARCH; ENOENT for others. */
	if (linkat(file->fd, "", AT_FDCWD, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	snprintf(self, sizeof self, "/dev/fd/%d", file->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int file_rename_exclusive(int from, const char *name, int to, const char *new_name)
{
	if (renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0)
		return 0;
	/* NFS does not know the flag. link(2) fails as well if the name is there, but FAT has no links. */
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(from, name, to, new_name, 0) < 0)
		return -errno;
	unlinkat(from, name, 0);
	return 0;
}

static int set_aside(const char *name, const void *user)
{
	const struct file_sink *file = user;
	struct stat status;

	if (link(file->path, name) == 0)
		return 0;
	if (errno == EEXIST || lstat(file->path, &status) < 0 || !S_ISREG(status.st_mode))
		return -errno;
	return file_rename_exclusive(AT_FDCWD, file->path, AT_FDCWD, name);
}

void file_put_back(struct file_sink *file)
{
	/* With two names of one file rename(2) does nothing. */
	if (rename(file->old, file->path) == 0)
		unlink(file->old);
	free(take(file->old));
}

int file_name_until_settled(struct file_sink *file, struct pidmem_error *error)
{
	int result = file->force && !file->stream ? file_make_temporary(file->path, set_aside, file, &file->old) : 0;

	if (result < 0 && result != -ENOENT)
		return file_fail_place(error, -result, file_shown_name(file));
	return file_name(file, error);
}

void file_settle(struct file_sink *file)
{
	if (file->old)
		unlink(file->old);
	free(take(file->old));
}

static int replace(struct file_sink *file)
{
	int result = file->temporary ? 0 : file_make_temporary(file->path, file_link_as, file, &file->temporary);

	if (result < 0)
		return result;
	return rename(file->temporary, file->path) < 0 ? -errno : 0;
}

int file_name(struct file_sink *file, struct pidmem_error *error)
{
	int result = 0;

	if (file->stream)
		return 0;
	if (file->force)
		result = replace(file);
	else
		result = file->temporary ? file_rename_exclusive(AT_FDCWD, file->temporary, AT_FDCWD, file->path)
					 : file_link_as(file->path, file);
	if (result == -EEXIST)
		return file_fail_appeared(error, file->path);
	if (result < 0)
		return file_fail_place(error, -result, file_shown_name(file));
	free(take(file->temporary));
	return 0;
}

void file_unname(struct file_sink *file)
{
	if (file->old)
		file_put_back(file);
	else if (!file->stream)
		unlink(file->path);
}
