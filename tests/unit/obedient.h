/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child of a test that does what it is told, an order of one byte at a time, and else nothing. */
#ifndef OBEDIENT_H
#define OBEDIENT_H

#include <stddef.h>
#include <sys/types.h>

struct pidmem_freeze;

struct obedient {
	pid_t pid;
	int orders, answers; /* pipes to it, and from it */
	struct pidmem_process *process;
};

/* Fork one, which begins so, and obeys so: it answers with what obey() returns. 0, or -1. */
int obedient_start(struct obedient *child, void (*begin)(void), char (*obey)(char order));
/* Get a freeze of some of them ready, with the options that it has: all but the stop is done. */
void obedient_freeze(struct pidmem_freeze *freeze, const struct obedient *children, size_t count);
/* Give an order, and wait for its answer. */
char obedient_order(const struct obedient *child, char order);
/* End it, if it has not ended, and close what belongs to it. */
void obedient_stop(struct obedient *child);

#endif
