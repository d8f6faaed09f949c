/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Colours by what they mean; "" where there are to be none (--color, NO_COLOR, no terminal). */
#ifndef UI_COLOUR_H
#define UI_COLOUR_H

#include "command.h"

enum colour {
	COLOUR_END,
	COLOUR_TITLE,
	COLOUR_GOOD,
	COLOUR_WARN,
	COLOUR_BAD,
	COLOUR_FAINT,
	/* Of memory, told apart by whoever cannot tell red from green: */
	COLOUR_OWN,
	COLOUR_FOREIGN,
	COLOUR_SWAPPED,
};

void colour_choose(enum when when);
const char *colour_stdout(enum colour colour);
const char *colour_stderr(enum colour colour);

#endif
