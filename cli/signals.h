/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGINT and its like while something is saved: what is half written is taken away before pidmem ends. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/* From now on signals are only noted, and end a write(2) or open(2) that waits. */
void signals_catch(void);

/*
 * While there is no output to be taken away: a signal ends pidmem at once, with the same message and status, as soon as
 * the helper of the library has let the processes go on and ended their copies.
 */
void signals_end_at_once(bool at_once);

/*
 * While a process stands still for pidmem, pidmem must not: Ctrl-Z, and the terminal that stops what is in the
 * background, have to wait until that is over.
 */
void signals_keep_running(bool keep);

/* Has one come? Then `fail_interrupted()` says so; returns EXIT_FAILED. */
bool signals_came(void);
int fail_interrupted(void);

#endif
