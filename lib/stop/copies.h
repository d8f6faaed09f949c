/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frozen copies of stopped processes, inside the guard: making them, ending them, having them waited for. */
#ifndef STOP_COPIES_H
#define STOP_COPIES_H

#include "stop/stop_set.h"

struct copy {
	pid_t parent;
	pid_t pid;
	pid_t own_pid;       /* as its parent, in its own PID namespace, knows it */
	uint64_t reaping_us; /* the stop that waiting for it took */
	bool reaped;
};

/*
 * Make one of a stopped process. 0, or the reason as guard_copy() has it: -EAGAIN, -ENOMEM, -EACCES, -EBUSY, -ENOSYS,
 * -ESRCH.
 */
int copy_make(const struct stop_process *process, struct copy *copy);

/*
 * End it, and have its parent wait for it: one thread of the parent is stopped for that, or `stopped` is used, if the
 * parent stands still anyway (else NULL).
 */
void copy_reap(struct copy *copy, const struct stop_process *stopped, int news);

/* Have processes wait for what is left of copies whose guard was killed: zombies without exit signal, oom_score_adj
 * 1000. */
void copies_reap_leftovers(const pid_t *parents, size_t count, int news);

#endif
