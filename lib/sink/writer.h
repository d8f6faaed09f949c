/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing a file by a thread of its own, past the page cache (open(2), O_DIRECT) where the file system can do that: the
 * caller reads meanwhile, nothing else is driven out of the cache, and nothing is copied once more by the kernel. Small
 * pieces go through the cache: that is faster by far.
 */
#ifndef SINK_WRITER_H
#define SINK_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer;

/* For a regular file that is open for writing; NULL without memory. What went through the cache is driven out of it
 * again now and then, which takes as long as writing it. */
struct writer *writer_new(int fd);
/* What is not written yet is dropped. */
void writer_free(struct writer *writer);

/* These return 0, or -errno of this write or one before; what is put later is written later. */
int writer_put(struct writer *writer, const void *bytes, size_t size, uint64_t offset);
/* All of it is with the kernel. */
int writer_finish(struct writer *writer);

#endif
