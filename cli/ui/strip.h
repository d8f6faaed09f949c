/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A region drawn as a strip of characters: which parts of it are in memory. */
#ifndef UI_STRIP_H
#define UI_STRIP_H

#include "pidmem.h"

#define STRIP_WIDTH 16

/* Whose regions strip_write() draws. */
void strip_of(struct pidmem_process *process);

/* `#` all of this part is in memory, `+` some of it, `s` swapped, `g` guard pages, `.` nothing; `?` if it is too
 * large to look. The row needs PIDMEM_MAPS_RESIDENCE. Returns the columns it took. */
size_t strip_write(const void *region);

#endif
