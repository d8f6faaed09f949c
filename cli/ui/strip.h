/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A region drawn as a strip of characters: which parts of it are in memory; and bars. */
#ifndef UI_STRIP_H
#define UI_STRIP_H

#include "pidmem.h"

#define STRIP_WIDTH 16
#define STRIP_MOST 64

/* Whose regions strip_write() draws, and how wide, at most STRIP_MOST. */
void strip_of(struct pidmem_process *process, unsigned width);

/* `#` all of this part is in memory, `=` all and more of it of files or shared than its own, `+` some of it, `z` pages
 * of zeros, `s` swapped, `g` guard pages, `.` nothing; `?` if it is too large to look. On a terminal that has them,
 * blocks as high as what is in memory, and colours: memory of its own, and that of files or shared. The row needs
 * PIDMEM_MAPS_RESIDENCE. Returns the columns it took. */
size_t strip_write(const void *region);

/* What the signs mean, one line; on a terminal. */
void strip_legend(void);

/* A bar of `width` columns for the part of a whole; no blanks behind it. */
void bar_write(uint64_t part, uint64_t whole, unsigned width);

#endif
