/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making the table at the end of a zstd file in the seekable format (contrib/seekable_format in the sources of zstd): a
 * skippable frame, which decoders pass over, with the sizes of all frames before it, compressed and not.
 */
#ifndef FORMAT_SEEK_ENTRIES_H
#define FORMAT_SEEK_ENTRIES_H

#include <stdint.h>

#include "base/buffer.h"

/* Add the next frame to a table, which is an empty buffer at first: 0 or -ENOMEM. */
int seek_entries_add(struct buffer *table, uint32_t packed, uint32_t content);
/* All frames are in it: make it a whole frame. 0 or -ENOMEM. */
int seek_entries_finish(struct buffer *table);

#endif
