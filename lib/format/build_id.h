/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The build-id of a program or library that is mapped: the note NT_GNU_BUILD_ID, found by its ELF header. */
#ifndef FORMAT_BUILD_ID_H
#define FORMAT_BUILD_ID_H

#include "format/reader.h"

#define BUILD_ID_LARGEST 64

/* `reader`: memory from the ELF header on. The size of the id, or 0 if there is none. */
size_t build_id_find(const struct byte_reader *reader, unsigned char id[BUILD_ID_LARGEST]);

/*
 * Is a part of its memory, `into` it, that comes from `offset` of the file, within a segment that is not writable? The
 * reader needs to have no more than the program headers.
 */
bool module_is_constant(const struct byte_reader *reader, uint64_t into, uint64_t size, uint64_t offset);

#endif
