/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What file.c and name.c share. */
#ifndef SINK_NAME_H
#define SINK_NAME_H

#include "sink/file.h"

/* What messages call a file. */
const char *file_shown_name(const struct file_sink *file);

/* A failure of the place that the user named, with the way out. */
int file_fail_place(struct pidmem_error *error, int number, const char *path);
/* Something else got the name first. */
int file_fail_appeared(struct pidmem_error *error, const char *path);

/* Give a file without a name the name; `user` is a struct file_sink: to be used with file_make_temporary(). 0 or
 * -errno. */
int file_link_as(const char *name, const void *user);
/* Give the file that was set aside its name back. */
void file_put_back(struct file_sink *file);

#endif
