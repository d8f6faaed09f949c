/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in the memory of a thread stands an instruction that makes a system call? */
#ifndef STOP_INSTRUCTION_H
#define STOP_INSTRUCTION_H

#include "arch/arch.h"

#include <sys/types.h>

/*
 * Right before `pc`, where the thread stands, if possible: that page is in memory, so that the target does not grow by
 * it. Else in the vDSO, or else in the first mapping that has one. 0, -ENOSYS or -ESRCH.
 */
int instruction_find(pid_t tid, const struct arch *arch, uint64_t pc, uint64_t *address);

#endif
