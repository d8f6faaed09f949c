/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A core from what a file holds: another core, or a raw dump. */
#ifndef SAVE_CORE_CONVERT_H
#define SAVE_CORE_CONVERT_H

#include "save/core_notes.h"
#include "save/core_plan.h"

/*
 * The notes as they are in the file, but for pidmem's own; the plan by what the file holds, so that all of it gets its
 * segments back. A raw dump has no notes: then which files were mapped is told, and no thread. Errors: PIDMEM_SYSTEM.
 */
int core_convert(struct pidmem_source *source, struct buffer *notes, struct core_plan *plan, struct pidmem_error *error,
		 struct core_kind *kind, size_t *threads);

#endif
