/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in the memory of a thread stands an instruction that makes a system call? */
#ifndef STOP_INSTRUCTION_H
#define STOP_INSTRUCTION_H

#include "arch/arch.h"

#include <sys/types.h>

/* In the vDSO, or else in the first mapping that has one. 0, -ENOSYS or -ESRCH. */
int instruction_find(pid_t tid, const struct arch *arch, uint64_t *address);

#endif
