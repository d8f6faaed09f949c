/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/leases.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "process/process.h"

static void read_locks(void *pointer)
{
	struct leases *leases = pointer;

	buffer_read_file(&leases->locks, leases->dir, "../locks");
}

void leases_begin(struct leases *leases, const struct pidmem_process *process)
{
	if (leases->begun)
		return;
	leases->begun = true;
	leases->owner = getpid();
	leases->dir = process->dir;
	leases->worker = worker_new();
	if (leases->worker)
		worker_begin(leases->worker, read_locks, leases);
	else
		read_locks(leases);
}

void leases_wait(struct leases *leases)
{
	if (!leases->worker)
		return;
	worker_wait(leases->worker);
	worker_free(take(leases->worker));
	if (leases->owner != getpid()) { /* after fork(2) nobody reads on, and nobody knows how far the thread came */
		leases->locks = (struct buffer){ 0 };
		read_locks(leases);
	}
}

void leases_done(struct leases *leases)
{
	leases_wait(leases);
	buffer_done(&leases->locks);
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

/* A file gets a write lease while it is open just once, and by whoever has opened it (check_conflicting_open() in
 * fs/locks.c); the program of a process was opened by the kernel. */
static bool is_program(const struct pidmem_process *process, const struct pidmem_region *region)
{
	struct stat status;

	return fstatat(process->memory_dir, "exe", &status, 0) == 0 && status.st_ino == region->inode &&
	       major(status.st_dev) == region->dev_major && minor(status.st_dev) == region->dev_minor;
}

bool leases_forbid(struct leases *leases, const struct pidmem_process *process, const struct pidmem_region *region)
{
	if (leases->worker && is_program(process, region)) /* no need to wait */
		return false;
	leases_begin(leases, process);
	leases_wait(leases);
	for (const char *line = leases->locks.bytes; line && *line;) {
		if (is_lease_of(line, region))
			return true;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}
