/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* maps --watch: the regions again and again, with what grew or shrank. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "target.h"

/* "" or a number of seconds. 0, or EXIT_FAILED after a message. */
int watch_parse(const char *text, double *seconds);

/* Until the process ends, or pidmem is interrupted. The exit status. */
int watch_run(const struct invocation *invocation, const struct target *target, double seconds);

#endif
