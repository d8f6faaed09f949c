/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* It is asked for each line of a list. */
bool terminal_is(void)
{
	static enum { UNKNOWN, NO, YES } is;

	if (is == UNKNOWN)
		is = isatty(STDOUT_FILENO) ? YES : NO;
	return is == YES;
}

static struct winsize window(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	return size;
}

unsigned terminal_width(void)
{
	return window().ws_col;
}

unsigned terminal_height(void)
{
	return window().ws_row;
}

bool terminal_can_clear(void)
{
	const char *name = getenv("TERM");

	return name && name[0] && strcmp(name, "dumb") != 0;
}

/* Without setlocale(3): nothing else of pidmem depends on the locale. */
bool terminal_has_blocks(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL, *dot;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !(locale && locale[0]); i++)
		locale = getenv(names[i]);
	dot = locale ? locale : "";
	while (*dot && *dot != '.')
		dot++;
	return terminal_is() && (!strncasecmp(dot, ".UTF-8", 6) || !strncasecmp(dot, ".UTF8", 5));
}
