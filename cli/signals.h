/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGINT and its like while something is saved: what is half written is taken away before pidmem ends. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/* From now on signals are only noted, and end a write(2) or open(2) that waits. */
void signals_catch(void);

/*
 * While processes are being stopped: a signal ends pidmem at once, with the same message and status as later. The
 * helper of the library then sees its end and lets the processes go on; there is no output yet.
 */
void signals_end_at_once(bool at_once);

/* Has one come? Then `fail_interrupted()` says so; returns EXIT_FAILED. */
bool signals_came(void);
int fail_interrupted(void);

#endif
