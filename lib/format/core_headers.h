/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the headers of a core file, of either class: what it says that it holds, and where. */
#ifndef FORMAT_CORE_HEADERS_H
#define FORMAT_CORE_HEADERS_H

#include "base/cleanup.h"
#include "format/elf_headers.h"
#include "format/reader.h"
#include "pidmem.h"

/* struct core_headers - what is used of them; begin with zeros */
struct core_headers {
	bool is_64;
	bool sections; /* there are section headers: gdb writes them, the kernel does not */
	uint16_t machine;
	struct elf_segment *loads; /* PT_LOAD with a size in memory, by address, none overlapping another */
	size_t load_count;
	struct elf_segment *notes; /* PT_NOTE, in their order */
	size_t note_count;
	struct elf_segment tables, origins; /* pidmem's own; of size 0 if there is none */
	uint64_t end;                       /* where the file ends if nothing of it is missing */
	uint64_t missing;                   /* program headers that the file is too short for */
};
void core_headers_done(struct core_headers *headers);
#define AUTO_CORE_HEADERS CLEANUP(core_headers_done) struct core_headers

/*
 * Read them. Headers that cannot be true are an error: segments that overlap, that are larger in the file than in
 * memory, or than any address space. PIDMEM_FORMAT (-EBADMSG; no core file: -ENOEXEC), PIDMEM_UNSUPPORTED (of a machine
 * with another order of bytes), PIDMEM_SYSTEM.
 */
int core_headers_read(struct core_headers *headers, const struct byte_reader *reader, struct pidmem_error *error);

#endif
