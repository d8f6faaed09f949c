/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What -R chooses. */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include "command.h"

/* Is any byte of the region selected? */
bool region_selected(const struct pidmem_select *select, const struct pidmem_region *region);

/* A selection that fits nothing is a slip of the pen: 0, or EXIT_FAILED after a message. */
int selection_check(const struct invocation *invocation, const struct pidmem_process *process,
		    const struct pidmem_maps *maps);

#endif
