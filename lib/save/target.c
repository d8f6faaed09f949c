/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "save/dump.h"
#include "sink/pack.h"

static int open_file(struct dump_target *target, const struct pidmem_dump_options *options, struct pidmem_error *error)
{
	AUTO_FREE char *index = NULL;
	int result = file_open(&target->data, options->path, options->force, error);

	if (result == 0 && target->zstd)
		result = pack_begin(&target->data, target->zstd, error);
	if (result < 0 || target->data.stream)
		return result;
	if (asprintf(&index, "%s.index", options->path) < 0)
		return fail_memory(error);
	result = file_open(&target->index, index, options->force, error);
	if (result == 0 && target->index.stream)
		return fail(error, PIDMEM_EXISTS, EEXIST, "%s exists and is not a file: kept", index);
	return result;
}

/* 1: an empty directory; 0: nothing; -EEXIST: something else. */
static int look_at(const char *path)
{
	struct stat status;
	int entries = 0;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(status.st_mode))
		return -EEXIST;
	AUTO_DIR directory = opendir(path);
	if (!directory)
		return -errno;
	while (readdir(directory) && entries < 3)
		entries++;
	return entries <= 2 ? 1 : -EEXIST;
}

static int make_directory(const char *name, const void *user)
{
	(void)user;
	return mkdir(name, 0700) < 0 ? -errno : 0;
}

static int fail_directory(struct pidmem_error *error, int number, const char *path)
{
	if (number == EEXIST)
		return with_hint(error, fail(error, PIDMEM_EXISTS, EEXIST, "%s exists already: kept", path),
				 "name a directory that is empty, or that is not there yet");
	return with_hint(error, fail_sys(error, number, "cannot make the directory %s", path),
			 "name a directory in a place that is there and can be written to");
}

/*
 * The files are written into a temporary directory. It is beside the final one, and takes its name when complete; or in
 * it, if that is there already: it may be a mount point, and has a mode and a group that somebody chose.
 */
static int open_split(struct dump_target *target, const char *path, struct pidmem_error *error)
{
	AUTO_FREE char *index = NULL, *name = strdup(path), *within = NULL;

	if (!name)
		return fail_memory(error);
	for (size_t length = strlen(name); length > 1 && name[length - 1] == '/';)
		name[--length] = 0;
	int result = look_at(name);
	if (result < 0)
		return fail_directory(error, -result, name);
	target->inside = result == 1;
	if (asprintf(&within, "%s/", name) < 0)
		return fail_memory(error);
	result = file_make_temporary(target->inside ? within : name, make_directory, NULL, &target->directory);
	if (result < 0)
		return with_hint(error, fail_sys(error, -result, "cannot make a directory for %s", name),
				 "name a directory in a place that is there and can be written to");
	target->split = take(name);
	target->data.label = target->index.label = target->split;
	return asprintf(&index, "%s/index", target->directory) < 0 ? fail_memory(error)
								   : file_open(&target->index, index, false, error);
}

int dump_target_open(struct dump_target *target, const struct pidmem_dump_options *options, struct pidmem_error *error)
{
	target->command = options->command ? options->command : "dump";
	target->zstd = options->zstd;
	int result = options->split ? open_split(target, options->split, error) : open_file(target, options, error);
	target->index.unthreaded = true;
	return result;
}

static int flush_lines(struct dump_target *target, struct pidmem_error *error)
{
	size_t size = target->lines.size;

	target->lines.size = 0;
	return size ? file_write(&target->index, target->lines.bytes, size, error) : 0;
}

/* A file of a dump is complete: count it, and in a directory give it its name there. */
static int finish_file(struct dump_target *target, struct file_sink *file, struct pidmem_error *error)
{
	int result = file_complete(file, error);

	if (result < 0)
		return result;
	if (file != &target->index) {
		target->apparent += file_length(file);
		target->content += file->size;
		target->on_disk += file_on_disk(file);
		if ((result = limits_check(&target->limits, file, error)) < 0)
			return result;
		target->limits.before += file->stored;
		file->stored = 0;
	}
	if (!target->split)
		return 0;
	result = file_name(file, error);
	file_close(file);
	return result;
}

static int open_region_file(struct dump_target *target, const struct pidmem_region *region, struct pidmem_error *error)
{
	AUTO_FREE char *path = NULL;
	int result = target->region ? finish_file(target, &target->data, error) : 0;

	if (result < 0)
		return result;
	target->region = region;
	snprintf(target->name, sizeof target->name, "%016llx.mem%s", (unsigned long long)region->start,
		 target->zstd ? ".zst" : "");
	if (asprintf(&path, "%s/%s", target->directory, target->name) < 0)
		return fail_memory(error);
	result = file_open(&target->data, path, false, error);
	return result < 0 || !target->zstd ? result : pack_begin(&target->data, target->zstd, error);
}

int dump_target_content(struct dump_target *target, const struct pidmem_region *region, uint64_t *offset,
			struct pidmem_error *error)
{
	int result = target->split && target->region != region ? open_region_file(target, region, error) : 0;

	*offset = target->data.size;
	return result;
}

int dump_target_line(struct dump_target *target, struct index_entry *entry, struct pidmem_error *error)
{
	if (target->index.fd < 0) /* a stream has no index */
		return 0;
	if (target->split && entry->class_ == PIDMEM_READ)
		entry->file = target->name;
	entry->zstd = target->zstd && entry->class_ == PIDMEM_READ;
	if (index_append(&target->lines, target->command, entry) < 0)
		return fail_memory(error);
	return target->lines.size < 65536 ? 0 : flush_lines(target, error);
}

static int name_both(struct dump_target *target, struct pidmem_error *error)
{
	int result;

	if (target->data.stream)
		return 0;
	/* The dump last: where it is, its index is too. */
	result = file_name_until_settled(&target->index, error);
	if (result < 0)
		return result;
	result = file_name(&target->data, error);
	if (result < 0)
		file_unname(&target->index);
	else
		file_settle(&target->index);
	return result;
}

static DIR *open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !directory)
		cleanup_fd(&fd);
	return directory;
}

/* Append the names of all files but the index, each with its NUL. */
static int list_files(DIR *directory, struct buffer *names)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(directory))) {
		size_t size = strlen(entry->d_name) + 1;
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "index"))
			continue;
		if (buffer_append(names, entry->d_name, size) < 0)
			return -ENOMEM;
	}
	return -errno;
}

/* All files or none of them; the index last: where it is, the others are too. */
static int move_files(int from, int to, const struct buffer *names)
{
	size_t moved = 0;
	int result = 0;

	while (moved < names->size &&
	       (result = file_rename_exclusive(from, names->bytes + moved, to, names->bytes + moved)) == 0)
		moved += strlen(names->bytes + moved) + 1;
	if (result == 0)
		result = file_rename_exclusive(from, "index", to, "index");
	for (size_t i = 0; result < 0 && i < moved; i += strlen(names->bytes + i) + 1)
		unlinkat(to, names->bytes + i, 0);
	return result;
}

/* From the temporary directory into the final one around it. */
static int move_up(struct dump_target *target, struct pidmem_error *error)
{
	AUTO_DIR from = open_directory(target->directory);
	AUTO_DIR to = from ? open_directory(target->split) : NULL;
	AUTO_BUFFER names = { 0 };
	int result = to ? list_files(from, &names) : -errno;

	if (result == 0)
		result = move_files(dirfd(from), dirfd(to), &names);
	if (result == -EEXIST)
		return with_hint(
			error,
			fail(error, PIDMEM_EXISTS, EEXIST, "a file has appeared in %s meanwhile: kept", target->split),
			"name a directory that is empty, or that is not there yet");
	if (result < 0)
		return with_hint(error, fail_sys(error, -result, "cannot write into the directory %s", target->split),
				 "name another directory");
	rmdir(target->directory);
	free(take(target->directory));
	return 0;
}

int dump_target_finish(struct dump_target *target, struct pidmem_error *error)
{
	int result = 0;

	if (target->index.fd >= 0 &&
	    ((result = flush_lines(target, error)) < 0 || (result = finish_file(target, &target->index, error)) < 0))
		return result;
	if (target->data.fd >= 0)
		result = finish_file(target, &target->data, error);
	if (result < 0 || !target->split)
		return result < 0 ? result : name_both(target, error);
	if (target->inside)
		return move_up(target, error);
	if (rename(target->directory, target->split) < 0)
		return with_hint(error, fail_sys(error, errno, "cannot name the directory %s", target->split),
				 "name a directory that is empty, or that is not there yet");
	free(take(target->directory));
	return 0;
}

static void remove_directory(const char *path)
{
	AUTO_DIR directory = open_directory(path);

	for (const struct dirent *entry; directory && (entry = readdir(directory));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(directory), entry->d_name, 0);
	rmdir(path);
}

void dump_target_close(struct dump_target *target)
{
	file_close(&target->data);
	file_close(&target->index);
	if (target->directory)
		remove_directory(target->directory);
	free(take(target->directory));
	free(take(target->split));
	buffer_done(&target->lines);
}
