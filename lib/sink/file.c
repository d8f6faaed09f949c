/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sink/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "sink/pack.h"
#include "sink/writer.h"

const char *file_shown_name(const struct file_sink *file)
{
	return file->label ? file->label : file->path;
}

/* A failure of the place that the user named, with the way out. */
int file_fail_place(struct pidmem_error *error, int number, const char *path)
{
	static const struct {
		int number;
		const char *hint;
	} hints[] = {
		{ ENOENT, "make the directory first, or name another place" },
		{ ENOTDIR, "part of the path is not a directory: name another place" },
		{ EISDIR, "name a file in that directory" },
		{ EACCES, "name a place where you may write" },
		{ EPERM, "name a place where you may write" },
		{ EROFS, "name a place that can be written to" },
		{ ENAMETOOLONG, "use a shorter name" },
		{ ENOSPC, "make room, name another place, or leave out regions with -R" },
		{ EDQUOT, "make room, name another place, or leave out regions with -R" },
		{ EFBIG, "the file system or ulimit -f allows no larger file: name another place, or leave out regions "
			 "with -R" },
		{ EPIPE, "the reader of the pipe has gone" },
	};
	int result = fail_sys(error, number, "cannot write %s", path);

	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
		if (hints[i].number == number)
			return with_hint(error, result, "%s", hints[i].hint);
	return with_hint(error, result, "name another place with -o");
}

/* What is at the path now? 0: nothing, or a file that may be replaced; 1: a device or pipe to write to. */
static int look_at(const char *path, bool force, struct pidmem_error *error)
{
	const char *slash = strrchr(path, '/');
	struct stat status;

	if (!*path || (slash && !slash[1]))
		return with_hint(error, fail(error, PIDMEM_USAGE, EINVAL, "\"%s\" is not the name of a file", path),
				 "name a file with -o");
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : file_fail_place(error, errno, path);
	if (S_ISLNK(status.st_mode))
		return with_hint(error,
				 fail(error, PIDMEM_SYMLINK, ELOOP, "%s is a symbolic link: not written to", path),
				 "name the file itself, or another one with -o");
	if (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))
		return 1;
	if (S_ISDIR(status.st_mode))
		return file_fail_place(error, EISDIR, path);
	if (!S_ISREG(status.st_mode))
		return with_hint(error, fail(error, PIDMEM_USAGE, EINVAL, "%s is neither a file nor a pipe", path),
				 "name another file with -o");
	if (!force)
		return with_hint(error, fail(error, PIDMEM_EXISTS, EEXIST, "%s exists already: kept", path),
				 "name another file with -o, or replace it with --force");
	return 0;
}

/* The directory of a path: "." for a bare name. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static int create(const char *name, const void *user)
{
	(void)user;
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

/* Better known before hours of writing than after: the link fails anyway, but with EEXIST only if all else is well. */
static bool can_link(const struct file_sink *file)
{
	return file_link_as("/", file) == -EEXIST;
}

int file_fail_appeared(struct pidmem_error *error, const char *path)
{
	return with_hint(error, fail(error, PIDMEM_EXISTS, EEXIST, "%s has appeared meanwhile: kept", path),
			 "name another file with -o, or replace it with --force");
}

static int open_new(struct file_sink *file, struct pidmem_error *error)
{
	AUTO_FREE char *directory = directory_of(file->path);

	if (!directory)
		return fail_memory(error);
	/* Without a name nothing can stay behind, whatever ends this program. */
	file->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (file->fd >= 0 && can_link(file))
		return 0;
	if (file->fd >= 0)
		close(take_fd(&file->fd));
	else if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return file_fail_place(error, errno, file_shown_name(file));
	int result = file_make_temporary(file->path, create, NULL, &file->temporary);
	if (result < 0)
		return file_fail_place(error, -result, file_shown_name(file));
	file->fd = result;
	return 0;
}

int file_cancelled(struct pidmem_error *error)
{
	return fail(error, PIDMEM_CANCELLED, ECANCELED, "interrupted: nothing was kept");
}

/* A signal came: does the caller want to go on? Leaves errno alone. */
static bool is_cancelled(const struct file_sink *file)
{
	int number = errno;
	bool cancelled = file->interrupted && file->interrupted(file->user) != 0;

	errno = number;
	return cancelled;
}

/* What was opened may not be what was looked at. */
static int check_stream(struct file_sink *file, struct pidmem_error *error)
{
	struct stat status;

	if (fstat(file->fd, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
		return 0;
	close(take_fd(&file->fd));
	return file_fail_appeared(error, file->path);
}

int file_open(struct file_sink *file, const char *path, bool force, struct pidmem_error *error)
{
	int kind = look_at(path, force, error);

	if (kind < 0)
		return kind;
	*file = (struct file_sink){ .fd = -1,
				    .force = force,
				    .stream = kind == 1,
				    .label = file->label,
				    .interrupted = file->interrupted,
				    .user = file->user };
	file->path = strdup(path);
	if (!file->path)
		return fail_memory(error);
	if (!file->stream)
		return open_new(file, error);
	/* Opening a pipe waits for its reader. */
	do
		file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	while (file->fd < 0 && errno == EINTR && !is_cancelled(file));
	if (file->fd < 0 && errno == EINTR)
		return file_cancelled(error);
	return file->fd < 0 ? file_fail_place(error, errno, file_shown_name(file)) : check_stream(file, error);
}

int file_open_unnamed(struct file_sink *file, const char *directory, struct pidmem_error *error)
{
	*file = (struct file_sink){ .fd = -1, .label = directory };
	if (asprintf(&file->path, "%s/unnamed", directory) < 0) {
		file->path = NULL;
		return fail_memory(error);
	}
	return open_new(file, error);
}

bool file_adopt(struct file_sink *file, struct file_sink *unnamed)
{
	struct stat own, other;

	if (file->stream || fstat(file->fd, &own) < 0 || fstat(unnamed->fd, &other) < 0 || own.st_dev != other.st_dev)
		return false;
	int fd = fcntl(unnamed->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	close(file->fd);
	file->fd = fd;
	file->temporary = take(unnamed->temporary);
	file->stored = file_on_disk(file);
	file->unthreaded = true; /* most of it is there */
	return true;
}

int file_open_stream(struct file_sink *file, int fd, const char *name, struct pidmem_error *error)
{
	*file = (struct file_sink){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
				    .stream = true,
				    .label = name,
				    .interrupted = file->interrupted,
				    .user = file->user };
	if (file->fd >= 0)
		return 0;
	file->fd = -1;
	return fail_sys(error, errno, "cannot write %s", name);
}

int file_write_at(struct file_sink *file, const void *bytes, size_t size, uint64_t offset, struct pidmem_error *error)
{
	size_t done = 0;

	file->stored += size;
	while (done < size) {
		const char *from = (const char *)bytes + done;
		ssize_t put = file->stream ? write(file->fd, from, size - done)
					   : pwrite(file->fd, from, size - done, (off_t)(offset + done));
		if (put < 0 && errno == EINTR && is_cancelled(file))
			return file_cancelled(error);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return file_fail_place(error, errno, file_shown_name(file));
		done += (size_t)put;
		if (done < size && is_cancelled(file)) /* a signal cuts a write short once some of it is done */
			return file_cancelled(error);
	}
	return 0;
}

int file_put_at(struct file_sink *file, const void *bytes, size_t size, uint64_t offset, struct pidmem_error *error)
{
	if (!file->stream && !file->unthreaded && !file->writer)
		file->writer = writer_new(file->fd);
	if (!file->writer)
		return file_write_at(file, bytes, size, offset, error);
	file->stored += size;
	int result = writer_put(file->writer, bytes, size, offset);
	return result < 0 ? file_fail_place(error, -result, file_shown_name(file)) : 0;
}

int file_flush(struct file_sink *file, struct pidmem_error *error)
{
	int result = file->writer ? writer_finish(file->writer) : 0;

	return result < 0 ? file_fail_place(error, -result, file_shown_name(file)) : 0;
}

int file_end_put(struct file_sink *file, struct pidmem_error *error)
{
	int result = file_flush(file, error);

	writer_free(take(file->writer));
	return result;
}

int file_append(struct file_sink *file, const void *bytes, size_t size, struct pidmem_error *error)
{
	return file_put_at(file, bytes, size, file->stored, error);
}

int file_write(struct file_sink *file, const void *bytes, size_t size, struct pidmem_error *error)
{
	int result = file->pack ? pack_write(file->pack, file, bytes, size, error)
				: file_put_at(file, bytes, size, file->size, error);

	file->size += result == 0 ? size : 0;
	return result;
}

int file_skip(struct file_sink *file, uint64_t size, struct pidmem_error *error)
{
	static const char zeros[65536];
	int packed = file->pack ? pack_skip(file->pack, file, size, error) : 0;

	if (file->pack || !file->stream) {
		file->size += packed == 0 ? size : 0;
		return packed;
	}
	while (size) {
		size_t piece = size < sizeof zeros ? (size_t)size : sizeof zeros;
		int result = file_write(file, zeros, piece, error);
		if (result < 0)
			return result;
		size -= piece;
	}
	return 0;
}

int file_complete(struct file_sink *file, struct pidmem_error *error)
{
	int copy, result = file->pack ? pack_finish(file->pack, file, error) : 0;

	if (result < 0 || file->stream || (result = file_flush(file, error)) < 0)
		return result;
	/* A hole at the end has to be made. */
	if (ftruncate(file->fd, (off_t)file_length(file)) < 0)
		return file_fail_place(error, errno, file_shown_name(file));
	/* NFS and FUSE write at each close() of a descriptor, and tell of a full disk or quota only then: close(2). */
	do {
		copy = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
		result = copy < 0 || close(copy) < 0 ? errno : 0;
	} while (result == EINTR && !is_cancelled(file));
	if (result == EINTR)
		return file_cancelled(error);
	return result ? file_fail_place(error, result, file_shown_name(file)) : 0;
}

uint64_t file_length(const struct file_sink *file)
{
	return file->pack ? file->stored : file->size;
}

uint64_t file_on_disk(const struct file_sink *file)
{
	struct stat status;

	return fstat(file->fd, &status) < 0 ? 0 : (uint64_t)status.st_blocks * 512;
}

void file_close(struct file_sink *file)
{
	if (file->temporary)
		unlink(file->temporary);
	free(take(file->temporary));
	if (file->old)
		file_put_back(file);
	free(take(file->path));
	pack_free(take(file->pack));
	writer_free(take(file->writer));
	if (file->fd >= 0)
		close(take_fd(&file->fd));
}
