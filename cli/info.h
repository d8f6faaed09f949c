/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `info` knows of its target. */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include "kinds.h"
#include "moment.h"

#define INFO_COMMAND 131072 /* bytes of a command line, at most */
#define INFO_BUILD_ID 64

struct info {
	struct moment moment;
	struct target target;
	struct pidmem_source *source;
	struct pidmem_maps *own; /* of a process, with what is resident */
	const struct pidmem_maps *maps;
	struct pidmem_threads *threads;
	char *command; /* the command line, blanks between the arguments */
	struct kinds kinds;
	struct pidmem_file file;        /* of a file */
	struct pidmem_account *account; /* of a file */
};

/* A program or library: where its ELF header is mapped. */
struct info_module {
	const struct pidmem_region *region;
	char build_id[2 * INFO_BUILD_ID + 1]; /* in hex; "" if it has none, or it is not there */
};
/* The next one from region *index on: false at the end. */
bool info_module_next(const struct info *info, size_t *index, struct info_module *module);

/* "NT_PRSTATUS", NULL if it has no name that is known here. */
const char *info_note_name(const struct pidmem_file_note *note);

void info_json(const struct invocation *invocation, struct info *info);
void info_text(struct info *info);

#endif
