/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NT_FILE: which files are mapped where (fill_files_note() in fs/binfmt_elf.c, Linux 3.7). */
#ifndef FORMAT_FILE_NOTE_H
#define FORMAT_FILE_NOTE_H

#include "base/buffer.h"
#include "format/layout.h"

/* Put together item by item; begin with zeros. */
struct file_note {
	struct buffer ranges, names;
	size_t count;
};
void file_note_done(struct file_note *note);
#define AUTO_FILE_NOTE CLEANUP(file_note_done) struct file_note

/* A mapping of the file `path`, from `offset` bytes on; `deleted`: " (deleted)" follows the path. 0 or -ENOMEM. */
int file_note_map(struct file_note *note, const struct core_layout *layout, uint64_t start, uint64_t size,
		  uint64_t offset, const char *path, bool deleted);

/* Append the note, if there is any file. */
int file_note_add(struct buffer *out, const struct core_layout *layout, const struct file_note *note);

#endif
