/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/colour.h"
#include "ui/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum when chosen;
static enum when decided[STDERR_FILENO + 1]; /* WHEN_AUTO: not yet */

void colour_choose(enum when when)
{
	chosen = when;
	memset(decided, 0, sizeof(decided));
}

static bool wanted(int fd)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */

	if (chosen != WHEN_AUTO)
		return chosen == WHEN_ALWAYS;
	return !(no_color && no_color[0]) && terminal_can_clear() && isatty(fd);
}

static bool on(int fd)
{
	if (decided[fd] == WHEN_AUTO)
		decided[fd] = wanted(fd) ? WHEN_ALWAYS : WHEN_NEVER;
	return decided[fd] == WHEN_ALWAYS;
}

static const char *sequence(enum colour colour, int fd)
{
	static const char *const sequences[] = {
		[COLOUR_END] = "\033[0m",   [COLOUR_TITLE] = "\033[1m",    [COLOUR_GOOD] = "\033[32m",
		[COLOUR_WARN] = "\033[33m", [COLOUR_BAD] = "\033[31m",     [COLOUR_FAINT] = "\033[2m",
		[COLOUR_OWN] = "\033[34m",  [COLOUR_FOREIGN] = "\033[33m", [COLOUR_SWAPPED] = "\033[35m",
	};

	return on(fd) ? sequences[colour] : "";
}

const char *colour_stdout(enum colour colour)
{
	return sequence(colour, STDOUT_FILENO);
}

const char *colour_stderr(enum colour colour)
{
	return sequence(colour, STDERR_FILENO);
}
