/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/headroom.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "process/cgroup.h"
#include "process/process.h"
#include "process/status.h"

#define MIB ((uint64_t)1 << 20)
/* What version 1 shows as memory.limit_in_bytes where there is none: the largest number of whole pages. */
#define UNLIMITED (INT64_MAX - (uint64_t)65535)

struct room {
	uint64_t left;
	bool ends_all; /* memory.oom.group: with the copy, the kernel ends the target too */
};

/* What a group may still take before the kernel looks for something to end: pages of files are given back first. */
static bool look_at_group(int dir, bool v2, void *user)
{
	struct room *room = user;
	uint64_t limit = cgroup_number(dir, v2 ? "memory.max" : "memory.limit_in_bytes");

	if (v2 && cgroup_number(dir, "memory.oom.group") == 1)
		room->ends_all = true;
	if (limit >= UNLIMITED)
		return true;
	uint64_t used = cgroup_number(dir, v2 ? "memory.current" : "memory.usage_in_bytes");
	uint64_t files = cgroup_value(dir, "memory.stat", v2 ? "inactive_file" : "total_inactive_file");
	if (used == UINT64_MAX)
		return true;
	used -= files < used ? files : used;
	uint64_t left = limit > used ? limit - used : 0;
	room->left = left < room->left ? left : room->left;
	return true;
}

static uint64_t machine_available(void)
{
	AUTO_BUFFER text = { 0 };
	const char *line;

	if (buffer_read_file(&text, AT_FDCWD, "/proc/meminfo") < 0 || !text.bytes)
		return UINT64_MAX;
	line = strstr(text.bytes, "MemAvailable:"); /* Linux 3.14 */
	return line ? strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024 : UINT64_MAX;
}

/*
 * A copy costs page tables at once, and a page for each one that the target writes while the copy is read. How many
 * that will be nobody knows: a sixteenth of its private memory, and no more than 64 MiB, lets a save begin that is
 * likely to come to its end; if memory runs short after all, the kernel ends the copy (oom_score_adj 1000), and the
 * target has lost nothing. Where it would end the target as well, every page must have its place.
 */
static uint64_t wanted(const struct process_status *status, bool ends_all)
{
	uint64_t own = status->rss_anon ? status->rss_anon : status->vm_rss;
	uint64_t reserve = own / 16 < 64 * MIB ? own / 16 : 64 * MIB;

	return status->vm_pte + (ends_all ? own : reserve);
}

bool headroom_has_memory(struct pidmem_process *process, const struct process_status *status, uint64_t *promised,
			 char *reason, size_t size)
{
	struct room room = { .left = machine_available() };

	cgroup_each(process, "memory", look_at_group, &room);
	uint64_t needed = wanted(status, room.ends_all) + *promised;
	if (needed <= room.left) {
		*promised = needed;
		return true;
	}
	snprintf(reason, size,
		 "too little memory is left for a copy: %" PRIu64 " MiB, where %" PRIu64 " MiB are needed%s",
		 room.left / MIB, (needed + MIB - 1) / MIB,
		 room.ends_all ? " because the kernel would end the process with its copy (memory.oom.group)" : "");
	return false;
}

uint64_t headroom_private_huge(const char *smaps, uint64_t page_size)
{
	uint64_t page = 0, sum = 0;
	bool is_private = false;

	for (const char *line = smaps; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		const char *perms = strchr(line, ' ');
		if (strchr("0123456789abcdef", *line)) /* a mapping; keys begin with capitals */
			is_private = perms && strnlen(perms, 5) == 5 && perms[4] == 'p';
		else if (!strncmp(line, "KernelPageSize:", 15))
			page = strtoull(line + 15, NULL, 10) * 1024;
		else if (is_private && page == page_size &&
			 (!strncmp(line, "Private_Hugetlb:", 16) || !strncmp(line, "Shared_Hugetlb:", 15)))
			sum += strtoull(strchr(line, ':') + 1, NULL, 10) * 1024;
	}
	return sum;
}

/* "hugepages-2048kB", in bytes; 0 if it is something else. */
static uint64_t pool_page_size(const char *name)
{
	static const char prefix[] = "hugepages-";

	return begins(name, prefix) ? strtoull(name + strlen(prefix), NULL, 10) * 1024 : 0;
}

bool headroom_has_huge_pages(struct pidmem_process *process, const struct process_status *status, char *reason,
			     size_t size)
{
	AUTO_DIR pools = NULL;
	AUTO_BUFFER smaps = { 0 };

	if (status->hugetlb == 0)
		return true;
	pools = open_directory_at(AT_FDCWD, "/sys/kernel/mm/hugepages");
	if (!pools || buffer_read_file(&smaps, process->memory_dir, "smaps") < 0) {
		snprintf(reason, size, "it has hugetlb memory, whose pool cannot be seen");
		return false;
	}
	for (const struct dirent *entry; (entry = readdir(pools));) {
		uint64_t page = pool_page_size(entry->d_name);
		uint64_t needed = page ? headroom_private_huge(smaps.bytes, page) / page : 0;
		AUTO_FD pool = needed ? openat(dirfd(pools), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		if (pool < 0)
			continue;
		uint64_t free_pages = cgroup_number(pool, "free_hugepages");
		uint64_t reserved = cgroup_number(pool, "resv_hugepages");
		uint64_t left = free_pages == UINT64_MAX || free_pages <= reserved ? 0 : free_pages - reserved;
		if (left >= needed)
			continue;
		snprintf(reason, size,
			 "it has %" PRIu64 " private hugetlb pages, and %" PRIu64 " are left in the pool for a copy",
			 needed, left);
		return false;
	}
	return true;
}

static bool look_for_full(int dir, bool v2, void *user)
{
	uint64_t limit = cgroup_number(dir, "pids.max");

	(void)v2;
	*(bool *)user = limit != UINT64_MAX && cgroup_number(dir, "pids.current") >= limit;
	return !*(bool *)user;
}

void headroom_explain_processes(struct pidmem_process *process, char *reason, size_t size)
{
	bool full = false;

	cgroup_each(process, "pids", look_for_full, &full);
	snprintf(reason, size, "%s",
		 full ? "the pids.max of its control group is reached"
		      : "its user may have no more processes (RLIMIT_NPROC, or the machine's limits)");
}

void headroom_explain_memory(struct pidmem_process *process, char *reason, size_t size)
{
	AUTO_BUFFER text = { 0 };
	bool strict = buffer_read_file(&text, process->dir, "../sys/vm/overcommit_memory") == 0 && text.bytes &&
		      text.bytes[0] == '2';

	snprintf(reason, size, "%s",
		 strict ? "a copy would exceed what may be promised (vm.overcommit_memory is 2)"
			: "there is not enough memory for a copy");
}
