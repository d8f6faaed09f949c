/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One system call in a stopped thread, through a `syscall` instruction that is there already: nothing is written. */
#ifndef STOP_CALL_H
#define STOP_CALL_H

#include "arch/arch.h"
#include "pidmem.h"
#include "stop/stop_set.h"

/* A thread that makes calls for us; its own registers and signal mask stand by until call_end(). */
struct caller {
	pid_t pid, tid;
	const struct arch *arch;
	uint64_t instruction; /* its address */
	uint64_t mask;
	uint64_t registers[64]; /* NT_PRSTATUS */
	pid_t child;            /* what its clone() made: traced by us and stopped */
};

/*
 * Take a stopped thread for calls. 0, or why it cannot make one now: -EACCES (seccomp that cannot be suspended), -EBUSY
 * (in a critical section, a mode or a dispatch that a call would break), -ENOSYS (no `syscall` instruction to be found,
 * or no such architecture), -ESRCH.
 */
int call_begin(struct caller *caller, pid_t pid, pid_t tid);

/* The same with whichever thread of a process can: 0, or the first reason against it. */
int call_begin_any(struct caller *caller, const struct stop_process *process);

/* Make one call: its result (-errno of the call); -ESRCH if the thread has ended; -EBUSY if it does not come to it. */
long call_make(struct caller *caller, long number, const uint64_t arguments[6]);

/* Give the thread its registers and mask back. It stays stopped. */
void call_end(struct caller *caller);

/* Calls in a thread whose registers nobody needs again: the copy. */
int call_begin_copy(struct caller *caller, const struct caller *parent, pid_t copy);

#endif
