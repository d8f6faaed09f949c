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

/* Is it at `pc` inside a critical section of rseq(2) (told since Linux 5.13)? */
bool fitness_in_critical_section(pid_t pid, pid_t tid, uint64_t pc);

#endif
