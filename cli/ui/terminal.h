/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What standard output can show, if it is a terminal. */
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>

/* Whoever reads it looks at it. */
bool terminal_is(void);
/* Its columns and lines; 0 if they are not known. */
unsigned terminal_width(void);
unsigned terminal_height(void);
/* It knows how to move and to erase: not a terminal of TERM=dumb. */
bool terminal_can_clear(void);
/* It shows block characters: by the locale, locale(7). */
bool terminal_has_blocks(void);

#endif
