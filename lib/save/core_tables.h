/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of a core (format/regions_table.h, format/holes_table.h). */
#ifndef SAVE_CORE_TABLES_H
#define SAVE_CORE_TABLES_H

#include "format/regions_table.h"
#include "save/core_plan.h"

/* Append that of regions, before the core is written; `note` has the threads already. 0 or -ENOMEM. */
int core_tables_add(struct buffer *out, struct regions_table *note, struct pidmem_source *source,
		    const struct core_plan *plan);

/* Append that of holes, when it is. */
int core_holes_add(struct buffer *out, const struct pidmem_account *account);

#endif
