/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `maps -x`: the regions exactly as `pmap -x` of procps 4.0 prints them. */
#ifndef CLI_PMAP_H
#define CLI_PMAP_H

#include "command.h"

/* `maps` was read with PIDMEM_MAPS_USAGE. */
void pmap_print(struct pidmem_process *process, const struct pidmem_maps *maps, const struct pidmem_select *select);

#endif
