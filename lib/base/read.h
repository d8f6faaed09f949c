/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_READ_H
#define BASE_READ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* pread(2) until all of it is there, the file ends or an error comes: the bytes before that, or -errno if there are
 * none. */
ssize_t read_at(int fd, void *bytes, size_t size, uint64_t offset);

#endif
