/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A note of an ELF file: owner, type, bytes; each part padded to 4 bytes, in both classes (fs/binfmt_elf.c). */
#ifndef FORMAT_NOTE_H
#define FORMAT_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* What it takes in the file. */
size_t note_size(const char *owner, size_t size);

/* Append a note; `bytes` may be NULL for zeros. 0 or -ENOMEM. */
int note_add(struct buffer *out, const char *owner, uint32_t type, const void *bytes, size_t size);

#endif
