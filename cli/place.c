/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"
#include "failure.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

char *place_numbered(const char *prefix, pid_t pid)
{
	char *path;

	return asprintf(&path, "%s.%d", prefix, (int)pid) < 0 ? NULL : path;
}

static int cannot_write(const char *path, int number)
{
	fail("cannot write %s: %s", path, strerror(number));
	hint("%s", number == ENOENT   ? "make the directory first, or name another place"
		   : number == EISDIR ? "name a file in that directory"
				      : "name another place");
	return EXIT_FAILED;
}

static bool is_stream(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode));
}

static char *parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

/* A directory that is not there yet may be named with slashes behind it. */
char *place_directory(const char *path)
{
	AUTO_TEXT name = strdup(path);

	for (size_t length = strlen(path); name && length > 1 && path[length - 1] == '/'; length--)
		name[length - 1] = '\0';
	return !name || is_stream(path) ? NULL : parent(name);
}

/* A new file needs a directory that can be written to. In /proc root may write, but nothing can be made there. */
static int check_directory(const char *path)
{
	AUTO_TEXT directory = parent(path);
	struct statfs file_system;

	if (!directory)
		return fail("out of memory");
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0)
		return cannot_write(path, errno);
	if (statfs(directory, &file_system) < 0 || file_system.f_type != PROC_SUPER_MAGIC)
		return 0;
	fail("cannot write %s: no file can be made in /proc", path);
	hint("name another place");
	return EXIT_FAILED;
}

int place_check(const char *path, bool force)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? check_directory(path) : cannot_write(path, errno);
	if (S_ISLNK(status.st_mode)) {
		fail("%s is a symbolic link: not written to", path);
		hint("name the file itself, or another one");
		return EXIT_FAILED;
	}
	if (S_ISDIR(status.st_mode))
		return cannot_write(path, EISDIR);
	if (!S_ISREG(status.st_mode))
		return 0; /* a device or pipe; what is neither, the library refuses */
	if (!force) {
		fail("%s exists already: kept", path);
		hint("name another file, or replace it with --force");
		return EXIT_FAILED;
	}
	return check_directory(path);
}

void place_remove(const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISREG(status.st_mode))
		unlink(path);
}

int place_wait(const char *path, int *held)
{
	struct stat status;

	*held = -1;
	if (lstat(path, &status) < 0 || !S_ISFIFO(status.st_mode))
		return 0;
	do
		*held = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	while (*held < 0 && errno == EINTR && !signals_came());
	if (*held >= 0)
		return 0;
	return errno == EINTR ? fail_interrupted() : cannot_write(path, errno);
}
