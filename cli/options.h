/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, read by the tables of options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "command.h"

/* Options that every command takes. */
extern const struct command_option common_options[];
extern const size_t common_option_count;

/* Read the whole command line. 0 and the (static) invocation, or the exit status after a message. */
int options_read(int argc, char **argv, struct invocation **invocation);

#endif
