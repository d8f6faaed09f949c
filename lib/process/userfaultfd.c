/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who holds a userfaultfd? One that is registered for memory of the target may be held by another process: it is made
 * by the target and then handed over, as lazy restore and migration do. Only smaps tells for sure what is registered,
 * at 20 ms/GiB of resident memory; while nobody holds one, nothing can be.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "process/process.h"

static bool directory_holds_one(int fd)
{
	static const char wanted[] = "anon_inode:[userfaultfd]";
	AUTO_DIR dir = fd < 0 ? NULL : fdopendir(fd);
	char target[sizeof wanted + 1];

	for (const struct dirent *entry; dir && (entry = readdir(dir));) {
		ssize_t length = readlinkat(fd, entry->d_name, target, sizeof target);
		if (length == sizeof wanted - 1 && !memcmp(target, wanted, sizeof wanted - 1))
			return true;
	}
	return false;
}

bool process_userfaultfd_exists(struct pidmem_process *process)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int list = openat(process->dir, "..", flags);
	AUTO_DIR proc = list < 0 ? NULL : fdopendir(list);
	char name[300];

	if (directory_holds_one(openat(process->memory_dir, "fd", flags)))
		return true;
	for (const struct dirent *entry; proc && (entry = readdir(proc));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(name, sizeof name, "%s/fd", entry->d_name);
		if (directory_holds_one(openat(list, name, flags)))
			return true;
	}
	return false;
}
