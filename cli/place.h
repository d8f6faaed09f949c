/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where outputs go. What is wrong with a place is better known before a process is stopped for it. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>

/* "PREFIX.PID", to be freed; NULL without memory. */
char *place_numbered(const char *prefix, pid_t pid);

/* The directory that a file at this path is written in, to be freed; NULL for a device or pipe, and without memory. */
char *place_directory(const char *path);

static inline void cleanup_text(char **text)
{
	free(*text);
}
#define AUTO_TEXT __attribute__((cleanup(cleanup_text))) char *

/*
 * Is anything in the way of a file at this path? The library looks again when it writes. 0, or EXIT_FAILED after a
 * message.
 */
int place_check(const char *path, bool force);

/* Take a file away that was written; devices and pipes stay. */
void place_remove(const char *path);

/*
 * Opening a named pipe waits for its reader: no process is stopped meanwhile. Anything else is passed over. 0 with a
 * descriptor in *held, or -1 there, which keeps the reader; or EXIT_FAILED after a message.
 */
int place_wait(const char *path, int *held);

#endif
