/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * process_vm_readv(2) is about twice as fast as /proc/PID/mem, which copies each page twice. But it takes a number
 * instead of a handle, and it pins pages: a page that is shared copy-on-write with a parent or child would be copied
 * for the target first (FAULT_FLAG_UNSHARE, Linux 5.19, commit a7f226604170), and the target would grow by being read.
 * So it is used only where every page is a file's or is mapped by this process alone, and only for larger reads.
 */
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>

#include "process/kernel.h"
#include "process/process.h"

#define PINNED_MIN (64UL << 10)
#define PINNED_PAGES 512

static bool may_pin(struct pidmem_process *process, uint64_t address, size_t size)
{
	uint64_t entries[PINNED_PAGES], page = (uint64_t)sysconf(_SC_PAGESIZE);
	size_t count = (size_t)((address + size - 1) / page - address / page + 1);
	int fd = process_pagemap(process, NULL);

	if (fd < 0 || count > PINNED_PAGES ||
	    pread(fd, entries, count * sizeof *entries, (off_t)(address / page * sizeof *entries)) !=
		    (ssize_t)(count * sizeof *entries))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!(entries[i] & PAGEMAP_PRESENT) || !(entries[i] & (PAGEMAP_FILE | PAGEMAP_EXCLUSIVE)))
			return false;
	return true;
}

/* Was the number still that of our process, and its address space the one we mean, when the read was over? */
static bool still_ours(const struct pidmem_process *process)
{
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) == 0 && !process_address_space_gone(process);
}

ssize_t process_read_pinned(struct pidmem_process *process, uint64_t address, void *bytes, size_t size)
{
	struct iovec local = { bytes, size }, remote = { (void *)(uintptr_t)address, size };

	if (process->pidfd < 0 || process->no_pinned_read || size < PINNED_MIN || !may_pin(process, address, size))
		return 0;
	ssize_t got = process_vm_readv(process->pid, &local, 1, &remote, 1, 0);
	if (got < 0 && (errno == EPERM || errno == ENOSYS)) /* seccomp of a container */
		process->no_pinned_read = true;
	return got > 0 && still_ours(process) ? got : 0;
}
