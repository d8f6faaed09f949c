/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TARGET: what the user wants to look at. Only digits are a PID, `self` is pidmem, anything else is a path: of a core
 * file or a raw dump.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "command.h"

/* Either a process or a file. */
struct target {
	struct pidmem_process *process; /* NULL: a file */
	bool borrowed;                  /* the process is somebody else's */
	struct pidmem_source *file;
	const char *path; /* of the file */
	pid_t pid;        /* of the process in it; 0 if it does not tell */
	char name[64];    /* of the program; "" if it does not tell */
	char words[256];  /* "process 42 (cat)", "core.42 (process 42, cat)" */
};

/* The PID that the text names. 0, or EXIT_FAILED after a message. */
int target_parse(const struct invocation *invocation, const char *text, pid_t *pid);

/* Does it name a file? */
bool target_is_path(const char *text);

/* How many of the operands are targets. */
int target_count(const struct invocation *invocation);
/* --files is for cores: 0, or EXIT_FAILED after a message. */
int target_check_files(const struct invocation *invocation);

/* Open what the text names; a file with the selection of -R. 0, or EXIT_FAILED after a message. */
int target_open(const struct invocation *invocation, const char *text, struct target *target);
/* That of a process that somebody else has opened. */
struct target target_of(struct pidmem_process *process);
void target_close(struct target *target);
#define AUTO_TARGET __attribute__((cleanup(target_close))) struct target

/* Begin the JSON of a result: "target" is the PID, or of a file its path and then "pid"; and "name". */
void target_json(const struct invocation *invocation, const struct target *target);

/* The library's error about it, as fail_process(). Returns EXIT_FAILED. */
int target_fail(const struct invocation *invocation, const struct target *target, const struct pidmem_error *error);

/* An option that makes sense for processes alone: EXIT_FAILED after a message. */
int target_refuse(const struct target *target, const char *option, const char *instead);

/* What is missing of a file. */
void target_warn(const struct target *target);

static inline void cleanup_maps(struct pidmem_maps **maps)
{
	pidmem_maps_free(*maps);
}

#define AUTO(kind) __attribute__((cleanup(cleanup_##kind))) struct pidmem_##kind *

#endif
