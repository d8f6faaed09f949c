/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The priority of the caller itself. */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

/* linux/ioprio.h, which Debian 12 has, but not all systems with kernels of today. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_IDLE 3
#define IOPRIO_CLASS_SHIFT 13

int pidmem_give_way(struct pidmem_error *error)
{
	struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_IDLE, &none) < 0)
		return fail_sys(error, errno, "cannot use processors in the idle class");
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT) < 0)
		return fail_sys(error, errno, "cannot use disks in the idle class");
	return 0;
}
