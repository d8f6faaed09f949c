/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts that decide whether a thread can make an injected call. */
#ifndef STOP_FITNESS_H
#define STOP_FITNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Is a filter of system calls in the way (proc_pid_status(5), Seccomp)? */
bool fitness_has_seccomp(pid_t pid, pid_t tid);

/* Does the thread catch its own system calls (Syscall User Dispatch; told since Linux 6.4)? */
bool fitness_is_dispatched(pid_t tid);

/* Is it at `pc` inside a critical section of rseq(2) (told since Linux 5.13)? Where that is aborted, or 0. */
uint64_t fitness_abort_address(pid_t pid, pid_t tid, uint64_t pc);

/* Would its next child be the init of a PID namespace (after unshare(2) with CLONE_NEWPID)? When that ends, no more
 * processes can be made there (pid_namespaces(7)). */
bool fitness_would_make_init(pid_t tid);

/* Does fork(2) in this process wait until somebody has read of it from a userfaultfd (UFFD_FEATURE_EVENT_FORK)? If that
 * is a thread of its own, and is stopped, it waits for ever. */
bool fitness_fork_is_watched(pid_t pid);

#endif
