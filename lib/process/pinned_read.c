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

#include "base/worker.h"
#include "process/kernel.h"
#include "process/process.h"

#define PINNED_MIN (64UL << 10)
#define PINNED_PAGES 2048
/* From this size on two threads share the work. */
#define SHARED_MIN (512UL << 10)

/* Does one page allow it? */
static bool is_pinnable(uint64_t entry)
{
	return entry & PAGEMAP_PRESENT && entry & (PAGEMAP_FILE | PAGEMAP_EXCLUSIVE);
}

/* How many bytes from `address` on share the answer? At least PINNED_MIN if they do not allow it, for there is another
 * way. */
static size_t alike(struct pidmem_process *process, uint64_t address, size_t size, bool *pinnable)
{
	uint64_t entries[PINNED_PAGES], page = (uint64_t)sysconf(_SC_PAGESIZE), first = address / page;
	size_t count = (size_t)((address + size - 1) / page - first + 1), i = 1;

	*pinnable = false;
	count = count < PINNED_PAGES ? count : PINNED_PAGES;
	if (pread(process->pagemap, entries, count * sizeof *entries, (off_t)(first * sizeof *entries)) !=
	    (ssize_t)(count * sizeof *entries))
		return size;
	*pinnable = is_pinnable(entries[0]);
	while (i < count && is_pinnable(entries[i]) == *pinnable)
		i++;
	uint64_t bytes = (first + i) * page - address;
	if (bytes < PINNED_MIN) {
		*pinnable = false;
		bytes = PINNED_MIN;
	}
	return bytes < size ? (size_t)bytes : size;
}

/* Was the number still that of our process, and its address space the one we mean, when the read was over? */
static bool still_ours(const struct pidmem_process *process)
{
	struct pollfd end = { .fd = process->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) == 0 && !process_address_space_gone(process);
}

/* One call, as a job for either thread. */
struct part {
	pid_t pid;
	struct iovec local, remote;
	ssize_t got; /* or -errno */
};

static struct part part(const struct pidmem_process *process, uint64_t address, void *bytes, size_t size)
{
	return (struct part){ process->pid, { bytes, size }, { (void *)(uintptr_t)address, size }, 0 };
}

static void read_part(void *pointer)
{
	struct part *part = pointer;

	part->got = process_vm_readv(part->pid, &part->local, 1, &part->remote, 1, 0);
	if (part->got < 0)
		part->got = -errno;
}

/* Two threads read a large range nearly twice as fast as one: looking up 4 KiB pages costs as much as copying them. */
static ssize_t read_parts(struct pidmem_process *process, uint64_t address, void *bytes, size_t size)
{
	struct part whole = part(process, address, bytes, size), first, second;

	if (size >= SHARED_MIN && !process->worker && !process->no_worker) {
		process->worker = worker_new();
		process->no_worker = !process->worker;
	}
	if (size < SHARED_MIN || !process->worker) {
		read_part(&whole);
		return whole.got;
	}
	first = part(process, address, bytes, size / 2);
	second = part(process, address + size / 2, (char *)bytes + size / 2, size - size / 2);
	worker_begin(process->worker, read_part, &second);
	read_part(&first);
	worker_wait(process->worker);
	return first.got < (ssize_t)(size / 2) ? first.got : first.got + (second.got > 0 ? second.got : 0);
}

ssize_t process_read_pinned(struct pidmem_process *process, uint64_t address, void *bytes, size_t *size)
{
	bool pinnable;

	if (process->pidfd < 0 || process->no_pinned_read || *size < PINNED_MIN || process_pagemap(process, NULL) < 0)
		return 0;
	*size = alike(process, address, *size, &pinnable);
	if (!pinnable)
		return 0;
	ssize_t got = read_parts(process, address, bytes, *size);
	if (got == -EPERM || got == -ENOSYS) /* seccomp of a container */
		process->no_pinned_read = true;
	return got > 0 && still_ours(process) ? got : 0;
}
