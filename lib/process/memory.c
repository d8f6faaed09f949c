/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the memory of a process, and asking the kernel about single addresses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/error.h"
#include "process/kernel.h"
#include "process/process.h"

/* Linux moves at most this many bytes in one read (MAX_RW_COUNT). */
#define READ_MAX 0x7ffff000U

/* errno when opening: EACCES and EPERM are the kernel's "no"; ESRCH and ENOENT mean that it is gone. */
static int open_failed(struct pidmem_process *process, const char *name, int number, struct pidmem_error *error)
{
	switch (number) {
	case EACCES:
	case EPERM:
		fail(error, PIDMEM_ACCESS, number, "cannot read process %d (%s)", process->pid, process->name);
		if (error)
			error->sys = number;
		return -number;
	case ESRCH:
	case ENOENT:
		return fail(error, PIDMEM_GONE, ESRCH, "process %d (%s) has ended", process->pid, process->name);
	default:
		return fail_sys(error, number, "/proc/%d/%s", process->pid, name);
	}
}

int process_open_memory_file(struct pidmem_process *process, const char *name, struct pidmem_error *error)
{
	int fd = openat(process->memory_dir, name, O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : open_failed(process, name, errno, error);
}

static int keep_open(struct pidmem_process *process, const char *name, int *fd, struct pidmem_error *error)
{
	if (*fd < 0) {
		int opened = process_open_memory_file(process, name, error);
		if (opened < 0)
			return opened;
		*fd = opened;
	}
	return *fd;
}

int process_mem(struct pidmem_process *process, struct pidmem_error *error)
{
	return keep_open(process, "mem", &process->mem, error);
}

int process_pagemap(struct pidmem_process *process, struct pidmem_error *error)
{
	return keep_open(process, "pagemap", &process->pagemap, error);
}

ssize_t process_read(struct pidmem_process *process, uint64_t address, void *bytes, size_t size,
		     struct pidmem_error *error)
{
	int fd = process_mem(process, error);
	ssize_t got;

	if (fd < 0)
		return fd;
	if (size == 0 || address > INT64_MAX) /* pread(2) takes no offset above 2^63 */
		return size == 0 ? 0 : -EIO;
	got = process_read_pinned(process, address, bytes, size);
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

/* The long way for kernels without PROCMAP_QUERY. */
static int mapping_from_list(struct pidmem_process *process, uint64_t address, uint64_t *start, uint64_t *size)
{
	struct pidmem_maps *maps;

	if (pidmem_maps_read(process, 0, NULL, &maps) < 0)
		return 0;
	const struct pidmem_region *region = pidmem_maps_find_next(maps, address);
	if (region) {
		*start = region->start;
		*size = region->size;
	}
	pidmem_maps_free(maps);
	return region != NULL;
}

/* 1 and the mapping at or above an address, 0 if there is none, -1 if the kernel cannot tell (before 6.11). */
static int query(struct pidmem_process *process, struct procmap_query *question)
{
	int fd = keep_open(process, "maps", &process->maps, NULL);

	question->size = sizeof *question;
	question->query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA;
	if (fd >= 0 && ioctl(fd, PROCMAP_QUERY, question) == 0)
		return 1;
	return fd < 0 || errno == ENOENT || errno == ESRCH ? 0 : -1;
}

int process_mapping_at(struct pidmem_process *process, uint64_t address, uint64_t *start, uint64_t *size, char *path,
		       size_t path_size)
{
	struct procmap_query question = { .query_addr = address,
					  .vma_name_addr = (uintptr_t)path,
					  .vma_name_size = (uint32_t)path_size };

	if (path)
		*path = 0;
	int found = query(process, &question);
	if (found < 0)
		return mapping_from_list(process, address, start, size);
	*start = question.vma_start;
	*size = question.vma_end - question.vma_start;
	return found;
}

int process_is_mapped(struct pidmem_process *process, uint64_t address, uint64_t *size)
{
	struct procmap_query question = { .query_addr = address };
	int found = query(process, &question);

	if (found <= 0)
		return found;
	bool mapped = question.vma_start <= address;
	uint64_t rest = (mapped ? question.vma_end : question.vma_start) - address;
	*size = rest < *size ? rest : *size;
	return mapped;
}

bool process_own_vdso(uint64_t *start, uint64_t *size)
{
	uint64_t address = getauxval(AT_SYSINFO_EHDR);
	AUTO_PROCESS self = NULL;

	return address && pidmem_process_open(getpid(), NULL, NULL, &self) == 0 &&
	       process_mapping_at(self, address, start, size, NULL, 0) == 1 && *start == address;
}

bool process_has_userfaultfd(struct pidmem_process *process)
{
	static const char wanted[] = "anon_inode:[userfaultfd]";
	int fd = openat(process->memory_dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR dir = fd < 0 ? NULL : fdopendir(fd);
	char target[sizeof wanted + 1];

	if (!dir)
		return false;
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t length = readlinkat(fd, entry->d_name, target, sizeof target);
		if (length == sizeof wanted - 1 && !memcmp(target, wanted, sizeof wanted - 1))
			return true;
	}
	return false;
}
