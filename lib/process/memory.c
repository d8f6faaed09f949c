/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the memory of a process. */
#include <errno.h>

#include "base/error.h"
#include "process/process.h"

/* Linux moves at most this many bytes in one read (MAX_RW_COUNT). */
#define READ_MAX 0x7ffff000U

ssize_t process_read(struct pidmem_process *process, uint64_t address, void *bytes, size_t size,
		     struct pidmem_error *error)
{
	int fd = process_mem(process, error);
	ssize_t got;

	if (fd < 0)
		return fd;
	if (size == 0 || address > INT64_MAX) /* pread(2) takes no offset above 2^63 */
		return size == 0 ? 0 : -EIO;
	got = process_read_pinned(process, address, bytes, &size);
	if (got > 0)
		return got;
	do
		got = pread(fd, bytes, size < READ_MAX ? size : READ_MAX, (off_t)address);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got == 0) /* the address space that the descriptor refers to has no users any more */
		return pidmem_process_check(process, error) < 0 ? -ESRCH : -EIO;
	if (errno == EIO || errno == EFAULT)
		return -EIO;
	return fail_sys(error, errno, "reading /proc/%d/mem at 0x%llx", process->pid, (unsigned long long)address);
}
