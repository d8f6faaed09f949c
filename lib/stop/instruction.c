/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop/instruction.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

#define VDSO_MAX 16384

/* Of the thread and not of the process: the first thread may have ended, and has no memory then. */
static int open_file(pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Look through `size` bytes at `start`, as far as they can be read: x86 has instructions at any address, and AArch64
 * keeps them aligned. 1 if one was found. */
static int search(int mem, const struct arch *arch, uint64_t start, uint64_t size, uint64_t *address)
{
	unsigned char piece[VDSO_MAX];

	for (uint64_t done = 0; done < size; done += sizeof piece - arch->instruction_size) {
		size_t wanted = size - done < sizeof piece ? (size_t)(size - done) : sizeof piece;
		ssize_t got = pread(mem, piece, wanted, (off_t)(start + done));
		const unsigned char *found =
			got > 0 ? memmem(piece, (size_t)got, arch->instruction, arch->instruction_size) : NULL;
		while (found && arch->instruction_size == 4 && (found - piece) % 4)
			found = memmem(found + 1, (size_t)(piece + got - found - 1), arch->instruction, 4);
		if (found) {
			*address = start + done + (uint64_t)(found - piece);
			return 1;
		}
		if (got < (ssize_t)wanted)
			return 0;
	}
	return 0;
}

/* The kernel tells each process where its vDSO is: AT_SYSINFO_EHDR of getauxval(3). 0 if it has none. */
static uint64_t vdso_of(pid_t tid, const struct arch *arch)
{
	AUTO_FD fd = open_file(tid, "auxv");
	uint64_t entries[128];
	ssize_t size = read(fd, entries, sizeof entries);
	size_t count = size > 0 ? (size_t)size / (arch->is_64 ? 8 : 4) : 0;
	const uint32_t *narrow = (const uint32_t *)entries;

	for (size_t i = 0; i + 1 < count; i += 2)
		if ((arch->is_64 ? entries[i] : narrow[i]) == AT_SYSINFO_EHDR)
			return arch->is_64 ? entries[i + 1] : narrow[i + 1];
	return 0;
}

/* Without a vDSO (vdso=0, or unmapped): code of the program or of a library, read-only and executable. */
static int search_mappings(pid_t tid, int mem, const struct arch *arch, uint64_t *address)
{
	AUTO_BUFFER maps = { 0 };
	AUTO_FD fd = open_file(tid, "maps");
	int found = 0;

	if (fd < 0 || buffer_read_fd(&maps, fd) < 0)
		return -ESRCH;
	for (const char *line = maps.bytes; !found && line && *line; line = strchr(line, '\n'), line += line != NULL) {
		uint64_t start, end;
		char perms[5];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, perms) == 3 && !strcmp(perms, "r-xp"))
			found = search(mem, arch, start, end - start, address);
	}
	return found ? 0 : -ENOSYS;
}

/* A thread that waits in a system call stands right behind one, in a page that is there. */
static bool is_before(int mem, const struct arch *arch, uint64_t pc)
{
	unsigned char bytes[4];

	return pc > arch->instruction_size &&
	       pread(mem, bytes, arch->instruction_size, (off_t)(pc - arch->instruction_size)) ==
		       (ssize_t)arch->instruction_size &&
	       !memcmp(bytes, arch->instruction, arch->instruction_size);
}

int instruction_find(pid_t tid, const struct arch *arch, uint64_t pc, uint64_t *address)
{
	AUTO_FD mem = open_file(tid, "mem");

	if (mem < 0)
		return -ESRCH;
	if (is_before(mem, arch, pc)) {
		*address = pc - arch->instruction_size;
		return 0;
	}
	uint64_t vdso = vdso_of(tid, arch);
	if (vdso && search(mem, arch, vdso, VDSO_MAX, address))
		return 0;
	return search_mappings(tid, mem, arch, address);
}
