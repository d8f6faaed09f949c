/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What went wrong, on stderr: "pidmem: TEXT", then "hint: THE WAY OUT". */
#ifndef CLI_FAILURE_H
#define CLI_FAILURE_H

#include "command.h"

/* Leave out warnings and hints (-q); errors are always told. */
void failure_quiet(bool quiet);

/* An error; returns EXIT_FAILED, so that `return fail(...)` is one line. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The library's error with its hint, or one that its cause suggests; returns EXIT_FAILED. */
int fail_with(const struct pidmem_error *error);

/*
 * The library's error about a process. If access is denied, what stands in the way is looked up and the first
 * cause and its remedy are told instead of the errno. Returns EXIT_FAILED.
 */
int fail_process(const struct invocation *invocation, pid_t pid, const struct pidmem_error *error);
/* The same of a process that was not named, but one that it descends from. */
int fail_descendant(const struct invocation *invocation, pid_t pid, pid_t named, const struct pidmem_error *error);
/* The library's error with another hint: its own ones know no options. */
int fail_with_hint(const struct pidmem_error *error, const char *other);

/* The errno of a result that could not be written; returns EXIT_FAILED. */
int output_failure(int number);

#endif
