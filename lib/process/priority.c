/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The priority of the caller itself, and what comes of it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "process/process.h"

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

bool process_lacks_processor(uint64_t least_us)
{
	AUTO_BUFFER text = { 0 };
	unsigned long long ran, waited;

	/* sched-stats.rst: how long it has run, and how long it could have. Not there without CONFIG_SCHED_INFO. */
	return buffer_read_file(&text, AT_FDCWD, "/proc/thread-self/schedstat") == 0 &&
	       sscanf(text.bytes, "%llu %llu", &ran, &waited) == 2 && waited > least_us * 1000 && waited > 2 * ran;
}
