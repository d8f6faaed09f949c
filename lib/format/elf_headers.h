/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The headers of an ELF core file, of either class. */
#ifndef FORMAT_ELF_HEADERS_H
#define FORMAT_ELF_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A program header: PT_NOTE or PT_LOAD of elf.h. */
struct elf_segment {
	uint32_t type;
	uint32_t flags; /* PF_* */
	uint64_t offset, file_size;
	uint64_t start, size; /* in memory */
	uint64_t align;
};

/* Of all headers. */
uint64_t elf_headers_size(bool is_64, size_t segments);

/* Do so many segments need a section header, to tell their number (PN_XNUM)? */
bool elf_count_is_extended(size_t segments);

/*
 * Append ELF header and program headers. `section`: where in the file elf_extended_count_add() will be, if the number
 * of segments needs it. 0 or -ENOMEM.
 */
int elf_headers_add(struct buffer *out, bool is_64, uint16_t machine, const struct elf_segment *segments, size_t count,
		    uint64_t section);
int elf_extended_count_add(struct buffer *out, bool is_64, size_t count);

#endif
