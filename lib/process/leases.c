/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/leases.h"

#include <stdio.h>
#include <string.h>

#include "process/process.h"

int leases_read(struct buffer *locks, const struct pidmem_process *process)
{
	return buffer_read_file(locks, process->dir, "../locks");
}

/* "1: LEASE  ACTIVE    WRITE 4242 fd:00:1234 0 EOF": proc_locks(5). */
static bool is_lease_of(const char *line, const struct pidmem_region *region)
{
	char type[16], access[16];
	unsigned major, minor;
	unsigned long long inode;

	return sscanf(line, "%*[^:]: %15s %*s %15s %*d %x:%x:%llu", type, access, &major, &minor, &inode) == 5 &&
	       (!strcmp(type, "LEASE") || !strcmp(type, "DELEG")) && !strcmp(access, "WRITE") &&
	       inode == region->inode && major == region->dev_major && minor == region->dev_minor;
}

bool leases_forbid(const struct buffer *locks, const struct pidmem_region *region)
{
	for (const char *line = locks->bytes; line && *line;) {
		if (is_lease_of(line, region))
			return true;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}
