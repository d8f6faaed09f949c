/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What -R chooses. */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include "target.h"

/* Add a term of -R. 0, or EXIT_FAILED after a message. */
int selection_add(struct invocation *invocation, const char *term);

/* Is any byte of the region selected? */
bool region_selected(const struct pidmem_select *select, const struct pidmem_region *region);

/*
 * A selection that fits nothing is a slip of the pen, and so is a term that does: 0, with a warning for such a term, or
 * EXIT_FAILED after a message.
 */
int selection_check(const struct invocation *invocation, const struct target *target, const struct pidmem_maps *maps);

/* Say that nothing is selected; returns EXIT_FAILED. */
int selection_fits_nothing(const struct invocation *invocation, const struct target *target);

#endif
