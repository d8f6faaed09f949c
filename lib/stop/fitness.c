/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop/fitness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/process.h"
#include "process/status.h"

static void *number(uint64_t value)
{
	return (void *)(uintptr_t)value; /* NOLINT(performance-no-int-to-ptr) */
}

bool fitness_has_seccomp(pid_t pid, pid_t tid)
{
	struct process_status status;
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/task/%d", pid, tid);
	AUTO_FD dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || process_read_status(dir, &status) < 0 || status.seccomp > 0;
}

/* PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG and its answer: include/uapi/linux/ptrace.h. */
#define GET_DISPATCH 0x4211
struct dispatch {
	uint64_t mode, selector, offset, length;
};

bool fitness_is_dispatched(pid_t tid)
{
	struct dispatch dispatch = { 0 };

	return ptrace(GET_DISPATCH, tid, number(sizeof dispatch), &dispatch) == 0 && dispatch.mode != 0;
}

/* PTRACE_GET_RSEQ_CONFIGURATION and its answer: include/uapi/linux/ptrace.h. */
#define GET_RSEQ 0x420f
struct rseq_place {
	uint64_t area;
	uint32_t size, signature, flags, pad;
};

/* struct rseq_cs of include/uapi/linux/rseq.h; its address stands at offset 8 of the area. */
struct critical_section {
	uint32_t version, flags;
	uint64_t start, size, abort;
};
#define SECTION_POINTER 8

bool fitness_in_critical_section(pid_t pid, pid_t tid, uint64_t pc)
{
	struct rseq_place place = { 0 };
	struct critical_section section;
	uint64_t pointer;
	char name[64];

	if (ptrace(GET_RSEQ, tid, number(sizeof place), &place) < 0 || !place.area)
		return false;
	snprintf(name, sizeof name, "/proc/%d/task/%d/mem", pid, tid);
	AUTO_FD mem = open(name, O_RDONLY | O_CLOEXEC);
	if (pread(mem, &pointer, sizeof pointer, (off_t)(place.area + SECTION_POINTER)) != sizeof pointer || !pointer ||
	    pread(mem, &section, sizeof section, (off_t)pointer) != sizeof section)
		return false;
	return pc - section.start < section.size;
}
