/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frozen copies of stopped processes, inside the guard: making them, ending them, having them waited for. */
#ifndef STOP_COPIES_H
#define STOP_COPIES_H

#include "stop/stop_set.h"

struct copy {
	pid_t parent;
	pid_t pid;
	pid_t own_pid;           /* as its parent, in its own PID namespace, knows it */
	uint64_t instruction;    /* that calls can be made by in it */
	struct stop_set reaping; /* its parent, while it is waited for, and threads of that which stop too late */
	uint64_t reaping_us;     /* that stop */
	bool forbidden;          /* found out before the stop: see fitness_fork_is_watched() */
	bool reaped;
};

/*
 * Make one of a stopped process. 0, or the reason as guard_copy() has it: -EAGAIN, -ENOMEM, -EACCES, -EBUSY, -ENOSYS,
 * -ESRCH: then copies_end_lost() has to follow.
 */
int copy_make(const struct stop_process *process, struct copy *copy);

/* A process that is killed while it makes its copy cannot tell us of it any more: find that one, and end it. `copies`
 * are the known ones, one for each process of the set. */
void copies_end_lost(const struct stop_set *set, const struct copy *copies);

/* End it, and have its parent wait for it: that is stopped for a moment, or `stopped`, if it stands still anyway (else
 * NULL). */
void copy_reap(struct copy *copy, const struct stop_process *stopped, int news);

/* What is left of a copy whose guard was killed: a zombie without exit signal, oom_score_adj 1000. */
struct leftover {
	pid_t parent, own_pid;
};

/* Those that these processes have: how many. */
size_t leftovers_find(const pid_t *parents, size_t count, struct leftover **found);

/* Have their parents, which are stopped, wait for them. */
void leftovers_reap(const struct leftover *leftovers, size_t count, const struct stop_set *set);

#endif
