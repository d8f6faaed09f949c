/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index of a raw dump: JSON lines in address order, one for each range of a region. Exactly one of these holds:
 *   content at `offset` of the file · known to be zero and taking no room · no bytes, and why.
 */
#ifndef FORMAT_INDEX_H
#define FORMAT_INDEX_H

#include "base/buffer.h"
#include "pidmem.h"

struct index_entry {
	uint64_t start, size;
	enum pidmem_class class_; /* PIDMEM_READ with an offset; PIDMEM_ZERO; others with a why */
	enum pidmem_why why;
	uint64_t offset;
	uint32_t perms; /* PIDMEM_PERM_* */
	bool deleted;
	const char *path;
	size_t path_size;
	const char *file; /* of a split dump, for content; else NULL */
	bool zstd;        /* the file is compressed: `offset` is in its content */

	/* The region that it is part of, if that is told: dumps of 0.1 did not. */
	bool has_region;
	uint64_t region; /* where it starts */
	enum pidmem_kind kind;
	uint64_t mapped_offset, inode; /* of `region` in its file */
	uint32_t dev_major, dev_minor;
};

/* Append the line of an entry, newline included; 0 or -ENOMEM. */
int index_append(struct buffer *lines, const char *command, const struct index_entry *entry);

/* The texts of an entry that was read. */
struct index_texts {
	char *path, *file;
};
void index_texts_done(struct index_texts *texts);

/* Read one line. Unknown members are passed over. 0, -EBADMSG (PIDMEM_FORMAT) or -ENOMEM; the texts belong to the
 * caller. */
int index_parse_line(const char *line, size_t size, struct index_entry *entry, struct index_texts *texts,
		     struct pidmem_error *error);

/* A member of a list of holes: {"start","end","class","why"}, of classes without bytes. False if it is none. */
struct json_t;
bool index_parse_hole(const struct json_t *object, struct index_entry *entry);

#endif
