/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What dump, core and gcore have in common: processes are held at one moment and written one after the other; then the
 * report, or after a failure nothing.
 *
 *   saving_begin   open what the operands name; the command then names the places
 *   saving_hold    hold them, and have an account and a place for each
 *   saving_write   write them, let each go as soon as it has been read
 *   saving_tell    the report; returns the exit status
 *   saving_close   always
 */
#ifndef CLI_SAVING_H
#define CLI_SAVING_H

#include "moment.h"

/* One process, and the output it goes to. */
struct save {
	struct target target;
	struct pidmem_source *source;
	struct pidmem_account *account;
	char *place; /* what the output is called, owned */
	bool written;
	uint64_t apparent, on_disk, content;
	uint64_t elapsed_us; /* from the beginning until it was there */
};

struct saving;

/* What the commands do differently. */
struct saver {
	const char *format;
	/* Write one, by a function of the library; its progress is moment_progress(&saving->progress). */
	int (*write)(struct saving *saving, struct save *save, struct pidmem_error *error);
	void (*remove)(const struct save *save); /* an output that was written */
	/* Members of its own, at the end. */
	void (*json)(const struct saving *saving, size_t index);
};

struct saving {
	const struct invocation *invocation;
	const struct saver *saver;
	const void *wish; /* of the command */
	struct moment moment;
	struct progress progress;
	struct save *saves;
	size_t count;
};

/* These return 0, or EXIT_FAILED after a message. */
int saving_begin(struct saving *saving, const struct invocation *invocation, const struct saver *saver);
int saving_hold(struct saving *saving, struct pidmem_freeze_options *how);
/* One after the other: each process is let go as soon as it has been read. If one fails, those that were written are
 * removed. */
int saving_write(struct saving *saving);

/* A report that cannot be written makes a failure of it all, and what was written is removed. */
int saving_tell(struct saving *saving);
/* What has content and could not be read, of all processes: EXIT_INCOMPLETE if there was any, else EXIT_DONE. */
int saving_status(const struct saving *saving);
void saving_close(struct saving *saving);

#define AUTO_SAVING __attribute__((cleanup(saving_close))) struct saving

#endif
