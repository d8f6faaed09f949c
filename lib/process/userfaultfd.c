/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who holds a userfaultfd? One that is registered for memory of the target may be held by another process: it is made
 * by the target and then handed over, as lazy restore and migration do. Only smaps tells for sure what is registered,
 * at 20 ms/GiB of resident memory; while nobody holds one, nothing can be.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/link.h"
#include "process/process.h"

/* What cannot be looked into may hold one. */
static bool may_hold_one(int dir, const char *name)
{
	AUTO_DIR list = open_directory_at(dir, name);

	if (!list)
		return errno != ENOENT && errno != ESRCH;
	for (const struct dirent *entry; (entry = readdir(list));)
		if (link_begins(list, entry->d_name, "anon_inode:[userfaultfd]"))
			return true;
	return false;
}

bool process_may_have_userfaultfd(const struct pidmem_process *process)
{
	return may_hold_one(process->memory_dir, "fd");
}

uint64_t process_count_all(const struct pidmem_process *process)
{
	struct stat status;

	/* proc_root_getattr() in fs/proc/root.c adds their number to the links. */
	return fstatat(process->dir, "..", &status, 0) == 0 ? status.st_nlink : 0;
}

bool process_userfaultfd_may_exist(struct pidmem_process *process)
{
	AUTO_DIR proc = open_directory_at(process->dir, "..");
	char name[300];

	if (!proc || process_may_have_userfaultfd(process))
		return true;
	for (const struct dirent *entry; (entry = readdir(proc));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(name, sizeof name, "%s/fd", entry->d_name);
		if (may_hold_one(dirfd(proc), name))
			return true;
	}
	return false;
}
