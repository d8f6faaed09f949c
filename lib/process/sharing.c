/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that are no threads of each other can have one address space: clone(2) with CLONE_VM alone. */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/process.h"

/* 1, 0, or -errno. One that may not be looked into has other rights, and is no such process. */
static int share(pid_t one, pid_t other)
{
	long result = syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0);

	if (result < 0)
		return errno == ENOSYS ? -ENOSYS : 0;
	return result == 0;
}

bool process_shares_memory(const struct pidmem_process *one, const struct pidmem_process *other)
{
	return process_is_near(one) && process_is_near(other) && share(one->pid, other->pid) == 1;
}

int process_count_sharers(const struct pidmem_process *process)
{
	AUTO_DIR proc = open_directory_at(process->dir, "..");
	int count = 0;

	if (!proc || !process_is_near(process))
		return -ENOENT;
	for (const struct dirent *entry; (entry = readdir(proc));) {
		pid_t other = (pid_t)strtol(entry->d_name, NULL, 10);
		int result = other > 0 && other != process->pid ? share(process->pid, other) : 0;
		if (result < 0)
			return result;
		count += result;
	}
	return count;
}
