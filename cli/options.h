/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, read by the tables of options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "command.h"

/* What the options of the tables set; options_read() gives it out. */
extern struct invocation given;

/* Options that every command takes. */
extern const struct command_option common_options[];
extern const size_t common_option_count;

/* The argument of --color and --progress. */
bool parse_when(const char *text, enum when *when);

/* Read the whole command line. 0 and `given`, or the exit status after a message. */
int options_read(int argc, char **argv, struct invocation **invocation);

#endif
