/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a file: what kind of one is it? */
#include "source/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/options.h"
#include "format/seek_table.h"

void recorded_free(struct recorded *recorded)
{
	if (!recorded)
		return;
	content_close(recorded->content);
	extents_done(&recorded->extents);
	core_headers_done(&recorded->headers);
	core_facts_done(&recorded->facts);
	originals_done(&recorded->originals);
	cleanup_fd(&recorded->directory);
	buffer_done(&recorded->names);
	buffer_done(&recorded->remarks);
	free(recorded->name_offsets);
	free(recorded->path);
	free(recorded);
}

int recorded_remark(struct recorded *recorded, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	recorded->remark_count++;
	return buffer_append(&recorded->remarks, text, strlen(text) + 1);
}

/* ---------------------------------------------------------------------------------------- which kind --- */

static int cannot_open(const char *path, int number, struct pidmem_error *error)
{
	return with_hint(error, fail_sys(error, number, "cannot open %s", path),
			 number == EACCES ? "run it as the owner of the file, or as root" : "");
}

/* The index of a dump: FILE.index, or DIRECTORY/index of a split one. -1 if there is none. */
static int open_index(const char *path, bool split)
{
	AUTO_FREE char *name = NULL;
	struct stat status;

	if (asprintf(&name, split ? "%s/index" : "%s.index", path) < 0)
		return -1;
	AUTO_FD fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? take_fd(&fd) : -1;
}

/* All is open, and nothing of it was looked at. */
static int tell_opened(const struct pidmem_file_options *options, struct pidmem_error *error)
{
	if (!options->opened || options->opened(options->user) == 0)
		return 0;
	return fail(error, PIDMEM_CANCELLED, ECANCELED, "cancelled");
}

static int open_split(struct recorded *recorded, const struct pidmem_file_options *options, struct pidmem_maps *maps,
		      struct pidmem_error *error)
{
	AUTO_FD index = open_index(recorded->path, true);

	if (index < 0)
		return with_hint(error, fail(error, PIDMEM_FORMAT, EISDIR, "%s is a directory", recorded->path),
				 "a directory that `dump --split` has made has a file \"index\"");
	recorded->directory = open(recorded->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (recorded->directory < 0)
		return cannot_open(recorded->path, errno, error);
	int result = tell_opened(options, error);
	return result < 0 ? result : recorded_read_index(recorded, index, maps, error);
}

/* Others than zstd that cores are kept by: systemd-coredump(8) knows the first two. */
static const char *compressor(const struct byte_reader *reader)
{
	static const struct {
		const char *magic, *program;
		size_t size;
	} known[] = {
		{ "\3757zXZ\0", "xz", 6 },
		{ "\4\"M\30", "lz4", 4 },
		{ "\37\213", "gzip", 2 },
		{ "BZh", "bzip2", 3 },
	};
	char magic[6] = "";

	reader_get(reader, 0, magic, sizeof magic);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!memcmp(magic, known[i].magic, known[i].size))
			return known[i].program;
	return NULL;
}

static int unknown_kind(const struct recorded *recorded, const struct pidmem_error *cause, struct pidmem_error *error)
{
	const struct byte_reader *reader = &recorded->content->reader;
	size_t length = strlen(recorded->path);
	const char *program = compressor(reader);
	char magic[4] = "";

	reader_get(reader, 0, magic, sizeof magic);
	if (reader->size == 0)
		return with_hint(error,
				 fail(error, PIDMEM_FORMAT, ENOEXEC, "%s is empty: no core file and no raw dump",
				      recorded->path),
				 "its writer may have had no room, or no right to write");
	if (program)
		return with_hint(
			error,
			fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP, "%s is compressed by %s", recorded->path, program),
			"only zstd can be read as it is: `%s -dc %s` unpacks it", program, recorded->path);
	if (length > 6 && !strcmp(recorded->path + length - 6, ".index"))
		return with_hint(error,
				 fail(error, PIDMEM_FORMAT, ENOEXEC, "%s is the index of a dump", recorded->path),
				 "name the dump itself: %.*s", (int)(length - 6), recorded->path);
	if (!memcmp(magic, "MDMP", 4))
		return with_hint(error,
				 fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP, "%s is a minidump, as lldb writes them",
				      recorded->path),
				 "pidmem reads ELF cores: `pidmem core` or gdb's gcore write them");
	return with_hint(error,
			 fail(error, cause->code, ENOEXEC,
			      "%s is neither a core file nor a raw dump: %s, and there is "
			      "no %s.index",
			      recorded->path, cause->text, recorded->path),
			 "a raw dump is two files: FILE and FILE.index");
}

/* Which file it is about stands first, in the errors of those who only see its bytes. */
static int name_file(const struct recorded *recorded, int result, const struct pidmem_error *cause,
		     struct pidmem_error *error)
{
	char text[sizeof cause->text];

	if (!error)
		return result;
	*error = *cause;
	memcpy(text, cause->text, sizeof text);
	snprintf(error->text, sizeof error->text, "%.100s: %.210s", recorded->path, text);
	return result;
}

static int open_regular(struct recorded *recorded, int fd, const struct pidmem_file_options *options,
			struct pidmem_maps *maps, struct pidmem_error *error)
{
	AUTO_FD own = fd;
	AUTO_FD index = open_index(recorded->path, false);
	struct pidmem_error cause = { 0 };
	int result = content_open(own, recorded->path, error, &recorded->content);

	if (result < 0)
		return result;
	take_fd(&own);
	if ((result = tell_opened(options, error)) < 0)
		return result;
	if (index >= 0) /* its first bytes may well be those of an ELF file: a program's */
		return recorded_read_index(recorded, index, maps, error);
	if (seek_table_is_zstd(&recorded->content->reader) &&
	    (result = content_open_zstd(recorded->content, recorded->path, error, &recorded->content)) < 0)
		return result;
	result = recorded_read_core(recorded, maps, &cause);
	if (result == -ENOEXEC)
		return unknown_kind(recorded, &cause, error);
	return result < 0 ? name_file(recorded, result, &cause, error) : 0;
}

static int open_kind(struct recorded *recorded, const struct pidmem_file_options *options, struct pidmem_maps *maps,
		     struct pidmem_error *error)
{
	/* Not to wait for a writer, should it be a FIFO. */
	AUTO_FD fd = open(recorded->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return cannot_open(recorded->path, errno, error);
	if (fstat(fd, &status) < 0)
		return fail_sys(error, errno, "%s", recorded->path);
	if (S_ISDIR(status.st_mode))
		return open_split(recorded, options, maps, error);
	if (!S_ISREG(status.st_mode))
		return with_hint(error, fail(error, PIDMEM_FORMAT, ENOEXEC, "%s is not a regular file", recorded->path),
				 "a core file or a dump has to be read in any order: write it to a file first");
	return open_regular(recorded, take_fd(&fd), options, maps, error);
}

/* ---------------------------------------------------------------------------------------------- open --- */

int pidmem_source_open_file(const char *path, const struct pidmem_file_options *given, struct pidmem_error *error,
			    struct pidmem_source **out)
{
	struct pidmem_file_options options;
	AUTO_RECORDED recorded = calloc(1, sizeof *recorded);
	AUTO_MAPS maps = maps_new();
	AUTO_SOURCE source = calloc(1, sizeof *source);

	if (recorded)
		recorded->directory = -1;
	int result = options_take(&options, sizeof options, given, error);
	if (result < 0)
		return result;
	if (!recorded || !source || !maps || !(recorded->path = strdup(path)))
		return fail_memory(error);
	if ((result = open_kind(recorded, &options, maps, error)) < 0 ||
	    (options.select && (result = pidmem_select_check(options.select, maps, error)) < 0))
		return result;
	source->select = options.select;
	source->consistency = recorded_consistency(recorded);
	source->recorded = take(recorded);
	source->maps = take(maps);
	if (options.files && (result = recorded_add_files(source, error)) < 0)
		return result;
	*out = take(source);
	return 0;
}
