/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An output file: mode 0600, written without a name or under a temporary one beside its final place, named when
 * complete, removed otherwise. Never through a symbolic link; never over an existing file unless forced.
 */
#ifndef SINK_FILE_H
#define SINK_FILE_H

#include "base/cleanup.h"
#include "pidmem.h"

struct pack;
struct writer;

struct file_sink {
	int fd;
	char *path;      /* its final name */
	char *temporary; /* its present name; NULL if it has none yet (O_TMPFILE) */
	char *old;       /* the name of the file that it replaced, until it is settled */
	bool unthreaded; /* set after file_open(): it is small, and not worth a thread and its buffers */
	bool stream;     /* a device or pipe that was there: written to as it is, without holes */
	bool force;
	uint64_t size;         /* written or skipped so far */
	uint64_t stored;       /* what of that is in the file, holes aside and compressed if it is */
	struct writer *writer; /* of a file that is no stream, once there is something to be written */
	struct pack *pack;     /* compresses what is written from now on: pack_begin() */
	/* Set before file_open(), may be NULL: what messages call it instead of its path, and what is called when a
	 * signal interrupts a write; a value other than 0 ends that with PIDMEM_CANCELLED. */
	const char *label;
	int (*interrupted)(void *user);
	void *user;
};

/* Begin. Errors: PIDMEM_EXISTS, PIDMEM_SYMLINK, PIDMEM_SYSTEM. */
int file_open(struct file_sink *file, const char *path, bool force, struct pidmem_error *error);

/* Begin without knowing the name yet, in a directory; file_adopt() tells it. Errors: PIDMEM_SYSTEM. */
int file_open_unnamed(struct file_sink *file, const char *directory, struct pidmem_error *error);
/* Go on with a file that was begun that way, as if file_open() had begun it; the other sink can still read it. False if
 * it is to become a device or pipe, or a file elsewhere: then everything is as before. */
bool file_adopt(struct file_sink *file, struct file_sink *unnamed);

/* The same with a stream that is open already, of which a copy is kept; `name` is what messages call it. */
int file_open_stream(struct file_sink *file, int fd, const char *name, struct pidmem_error *error);

int file_write(struct file_sink *file, const void *bytes, size_t size, struct pidmem_error *error);
/* Somewhere else in a file that is no stream; `size` of the sink stays as it is. By file_put_at() it is written later,
 * but before what is put after it; file_flush() waits for that, and either tells of its errors. */
int file_put_at(struct file_sink *file, const void *bytes, size_t size, uint64_t offset, struct pidmem_error *error);
int file_flush(struct file_sink *file, struct pidmem_error *error);
/* As file_flush(), after the last of it: the thread ends. */
int file_end_put(struct file_sink *file, struct pidmem_error *error);
int file_write_at(struct file_sink *file, const void *bytes, size_t size, uint64_t offset, struct pidmem_error *error);
/* For what compresses: behind what is stored, as it is. */
int file_append(struct file_sink *file, const void *bytes, size_t size, struct pidmem_error *error);
/* `size` zeros: a hole where there can be one. */
int file_skip(struct file_sink *file, uint64_t size, struct pidmem_error *error);

/* All is written: set the size, and report the write errors that close(2) tells of, as on NFS. There is no fsync(2):
 * it would wait for the disk, and errors of the disk itself come later and unseen. The file still has no name. */
int file_complete(struct file_sink *file, struct pidmem_error *error);
/* Give it its name. */
int file_name(struct file_sink *file, struct pidmem_error *error);
/* The same, but keep what it replaces, if anything, until file_settle(). */
int file_name_until_settled(struct file_sink *file, struct pidmem_error *error);
void file_settle(struct file_sink *file);
/* Take the name away again, when something that belongs to it failed; a file that is kept gets it back. */
void file_unname(struct file_sink *file);
/* Of a complete file: how long it is, and bytes on disk. */
uint64_t file_length(const struct file_sink *file);
uint64_t file_on_disk(const struct file_sink *file);

/* The error of a call that its caller ended; returns -ECANCELED. */
int file_cancelled(struct pidmem_error *error);

/* rename(2) that fails if the new name is there; 0 or -errno. */
int file_rename_exclusive(int from, const char *name, int to, const char *new_name);
/* Call make() with one temporary name after another, beside `path`, until it gives something else than -EEXIST; returns
 * that, with the name in *out if it is no failure. */
int file_make_temporary(const char *path, int (*make)(const char *name, const void *user), const void *user,
			char **out);

/* Close; what was not named or not settled is undone. Does nothing after FILE_SINK_INIT. */
void file_close(struct file_sink *file);

#define FILE_SINK_INIT   \
	{                \
		.fd = -1 \
	}
#define AUTO_FILE_SINK CLEANUP(file_close) struct file_sink

#endif
