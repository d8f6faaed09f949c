/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notes of a core file, in the order of the kernel's. */
#ifndef SAVE_CORE_NOTES_H
#define SAVE_CORE_NOTES_H

#include "base/buffer.h"
#include "format/regions_table.h"
#include "pidmem.h"

/* Of what kind is the core file? */
struct core_kind {
	bool is_64;
	uint16_t machine; /* EM_* of elf.h */
};

/*
 * Append all notes about the process and its threads, and name the threads in `regions`. Fills *kind and the number of
 * threads. Errors: PIDMEM_GONE, PIDMEM_UNSUPPORTED (no such architecture), PIDMEM_SYSTEM.
 */
int core_notes_add(struct buffer *out, struct regions_table *regions, struct pidmem_source *source,
		   struct pidmem_error *error, struct core_kind *kind, size_t *threads);

#endif
