/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop/fitness.h"

#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/link.h"
#include "process/process.h"
#include "process/status.h"
#include "stop/tracee.h"

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

	return ptrace(GET_DISPATCH, tid, ptrace_number(sizeof dispatch), &dispatch) == 0 && dispatch.mode != 0;
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

uint64_t fitness_abort_address(pid_t pid, pid_t tid, uint64_t pc)
{
	struct rseq_place place = { 0 };
	struct critical_section section;
	uint64_t pointer;
	char name[64];

	if (ptrace(GET_RSEQ, tid, ptrace_number(sizeof place), &place) < 0 || !place.area)
		return 0;
	snprintf(name, sizeof name, "/proc/%d/task/%d/mem", pid, tid);
	AUTO_FD mem = open(name, O_RDONLY | O_CLOEXEC);
	if (pread(mem, &pointer, sizeof pointer, (off_t)(place.area + SECTION_POINTER)) != sizeof pointer || !pointer ||
	    pread(mem, &section, sizeof section, (off_t)pointer) != sizeof section)
		return 0;
	return pc - section.start < section.size ? section.abort : 0;
}

bool fitness_would_make_init(pid_t tid)
{
	char name[64], link[64];
	struct stat entry;

	/* Since Linux 4.12; it leads nowhere while that namespace has no init (pidns_for_children_get()). */
	snprintf(name, sizeof name, "/proc/%d/ns/pid_for_children", tid);
	return lstat(name, &entry) == 0 && readlink(name, link, sizeof link) < 0 && errno == ENOENT;
}

/* The line "API:" of /proc/PID/fdinfo/FD: features, ioctls... in hexadecimal (userfaultfd_show_fdinfo()). */
static bool tells_of_forks(int infos, const char *name)
{
	AUTO_BUFFER text = { 0 };
	unsigned long long api, features;

	if (buffer_read_file(&text, infos, name) < 0)
		return false;
	const char *line = strstr(text.bytes, "API:");
	return line && sscanf(line, "API: %llx:%llx", &api, &features) == 2 && features & UFFD_FEATURE_EVENT_FORK;
}

bool fitness_fork_is_watched(pid_t pid)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/fdinfo", pid);
	AUTO_FD infos = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof name, "/proc/%d/fd", pid);
	AUTO_DIR list = open_directory_at(AT_FDCWD, name);
	for (const struct dirent *entry; list && (entry = readdir(list));)
		if (link_begins(list, entry->d_name, "anon_inode:[userfaultfd]") &&
		    tells_of_forks(infos, entry->d_name))
			return true;
	return false;
}
