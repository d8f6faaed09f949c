/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in a file may be made to break whoever reads it. While pidmem reads files, and no process, it has no use for
 * most of what it may do, and gives it up before it looks at the first byte: see docs/architecture.md.
 *
 *   confine.c          capabilities, no_new_privs, and the order of things
 *   confine_writes.c   where files may be written: Landlock
 *   confine_calls.c    which system calls there are: seccomp, by libseccomp
 */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "command.h"

/* Which targets there will be. If one of them is a process, nothing is given up. */
void confine_expect(const struct invocation *invocation);
/* A file that will be opened later, to be read. NULL is passed over. */
void confine_input(const char *path);
/* A file or directory that will be written. NULL is passed over. */
void confine_output(const char *path);

/* The next target is open, and not looked at yet: the callback of the library. */
int confine_opened(void *unused);

/* Write nowhere but in these places, existing files and directories. */
void confine_writes(const char *const *places, int count);
/* Make no system call that reading needs not, or `writes` of that. */
void confine_calls(bool writes);

#endif
