/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading NT_FILE: which files were mapped where. */
#ifndef FORMAT_FILE_LIST_H
#define FORMAT_FILE_LIST_H

#include "base/cleanup.h"
#include "format/reader.h"

struct mapped_file {
	uint64_t start, size, offset; /* `offset` into the file, in bytes */
	const char *path;             /* with " (deleted)", if it says so */
	size_t path_size;
};

struct file_list {
	struct mapped_file *files; /* by address, none overlapping another */
	size_t count;
	char *bytes; /* what the paths are in */
};
void file_list_done(struct file_list *list);
#define AUTO_FILE_LIST CLEANUP(file_list_done) struct file_list

/* Read the note whose bytes stand at an offset. 0, -EBADMSG if it cannot be true, -ENOMEM, -EIO. */
int file_list_read(struct file_list *list, const struct byte_reader *reader, bool is_64, uint64_t offset,
		   uint64_t size);

#endif
