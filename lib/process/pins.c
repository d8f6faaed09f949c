/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices and the kernel write to pages that were pinned for them (Documentation/core-api/pin_user_pages.rst) without
 * a page fault: whoever tracks writes by page tables does not see it. Which pages those are is told nowhere; that there
 * can be some, is: buffers that are registered with io_uring or for RDMA count as VmPin, direct I/O needs a file that
 * was opened for it or a file system that decides by itself, io_uring in the memory of the program is not mapped, and
 * other devices need one of theirs. What cannot be found out are sockets with AF_XDP, io_uring without a descriptor
 * (IORING_SETUP_REGISTERED_FD_ONLY), and single writes from outside, as by process_vm_writev(2).
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"
#include "process/maps.h"
#include "process/mounts.h"
#include "process/process.h"
#include "process/status.h"

#define RING "anon_inode:[io_uring]"

/* What its open files tell. */
struct look {
	uint32_t *mounts; /* whose file systems may pin what they read into */
	size_t mount_count, mount_capacity;
	unsigned rings; /* of io_uring */
	bool direct, device, mounted;
};

static void look_done(struct look *look)
{
	free(look->mounts);
}

/*
 * Whose files are read past the page cache though nobody asked for it, as the server or a mount option says
 * (FOPEN_DIRECT_IO in Documentation/filesystems/fuse/fuse-io.rst, cache=none in 9p.rst and mount.cifs(8)).
 */
static bool may_pin(const char *type)
{
	static const char *const types[] = { "fuse", "fuseblk", "virtiofs", "9p", "cifs", "smb3", "lustre" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(type, types[i]))
			return true;
	return begins(type, "fuse.") || begins(type, "fuseblk.");
}

static void list_mounts(struct look *look, int dir, const char *name)
{
	AUTO_BUFFER text = { 0 };
	AUTO_FREE struct mount *mount = malloc(sizeof *mount);

	if (!mount || buffer_read_file(&text, dir, name) < 0 || !text.bytes)
		return;
	for (const char *at = text.bytes; mount_next(&at, mount);) {
		if (!may_pin(mount->type))
			continue;
		uint32_t *items =
			array_grow(look->mounts, look->mount_count, &look->mount_capacity, sizeof *look->mounts);
		if (!items)
			return;
		look->mounts = items;
		items[look->mount_count++] = mount->id;
	}
}

/* Is it in the mount namespace of this program? */
static bool has_our_mounts(const struct pidmem_process *process)
{
	char its[64], ours[64];
	ssize_t size = readlinkat(process->memory_dir, "ns/mnt", its, sizeof its);

	return size > 0 && readlinkat(process->dir, "../self/ns/mnt", ours, sizeof ours) == size &&
	       !memcmp(its, ours, (size_t)size);
}

/* Nothing can be read from a file that was opened for writing alone, or for its path, and from directories no bytes. */
static bool is_readable(unsigned long flags)
{
	return (flags & O_ACCMODE) != O_WRONLY && !(flags & (O_PATH | O_DIRECTORY));
}

static bool is_mounted_so(const struct look *look, const char *text)
{
	const char *line = strstr(text, "mnt_id:");
	uint32_t id = line ? (uint32_t)strtoul(line + strlen("mnt_id:"), NULL, 10) : 0;

	for (size_t i = 0; line && i < look->mount_count; i++)
		if (look->mounts[i] == id)
			return true;
	return false;
}

/* A file of fdinfo: "flags:" in octal (proc_pid_fdinfo(5)), and what io_uring tells of itself (Linux 5.1). */
static void look_at_fdinfo(struct look *look, int list, const char *name)
{
	AUTO_BUFFER text = { 0 };

	if (buffer_read_file(&text, list, name) < 0 || !text.bytes)
		return;
	const char *line = strstr(text.bytes, "flags:");
	const char *files = strstr(text.bytes, "UserFiles:");
	unsigned long flags = line ? strtoul(line + strlen("flags:"), NULL, 8) : 0;
	look->direct |= (flags & O_DIRECT) != 0;
	/* Files that are registered with io_uring need no descriptor, and nothing is told of them. */
	look->direct |= files && strtoul(files + strlen("UserFiles:"), NULL, 10) > 0;
	look->mounted |= is_readable(flags) && is_mounted_so(look, text.bytes);
}

/* What transfers by itself, or passes commands on whose data it takes from, and puts into, memory of the program. */
static bool is_device(const char *path)
{
	static const char *const devices[] = { "vfio/", "nvidia", "kfd", "infiniband/", "nvme", "ng",   "sg",
					       "bsg/",  "sd",     "sr",  "st",          "nst",  "video" };

	if (!begins(path, "/dev/"))
		return false;
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		if (begins(path + strlen("/dev/"), devices[i]))
			return true;
	return false;
}

/* Each look at a file takes some 50 us, and there can be thousands: none for sockets and pipes. */
static void look_at_file(struct look *look, int links, int list, const char *name)
{
	char path[64];
	ssize_t size = readlinkat(links, name, path, sizeof path - 1);

	if (size <= 0)
		return;
	path[size] = 0;
	bool ring = begins(path, RING);
	look->rings += ring;
	look->device |= is_device(path);
	if (ring || path[0] == '/')
		look_at_fdinfo(look, list, name);
}

static void look_at_files(struct look *look, int dir, const char *thread)
{
	char name[300];

	snprintf(name, sizeof name, "%s/fd", thread);
	AUTO_DIR links = open_directory_at(dir, name);
	snprintf(name, sizeof name, "%s/fdinfo", thread);
	AUTO_FD list = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (const struct dirent *entry; links && (entry = readdir(links));)
		look_at_file(look, dirfd(links), list, entry->d_name);
}

/* Threads can have files of their own: clone(2) without CLONE_FILES, unshare(2), close_range(2). */
static void look_at_threads(struct look *look, const struct pidmem_process *process)
{
	AUTO_DIR threads = open_directory_at(process->dir, "task");
	char name[300];

	for (const struct dirent *entry; threads && (entry = readdir(threads));) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (tid <= 0 || tid == process->pid || syscall(SYS_kcmp, process->pid, tid, KCMP_FILES, 0, 0) == 0)
			continue;
		snprintf(name, sizeof name, "task/%s", entry->d_name);
		look_at_files(look, process->dir, name);
	}
}

/*
 * Each io_uring has its entries mapped once, at an offset of their own. One that does not uses the memory of the
 * program (IORING_SETUP_NO_MMAP, Linux 6.5), which the kernel has pinned and writes to; that counts for no limit.
 */
static bool all_rings_are_mapped(const struct look *look, struct pidmem_process *process)
{
	AUTO_MAPS maps = NULL;
	unsigned mapped = 0;

	if (look->rings == 0)
		return true;
	if (pidmem_maps_read(process, 0, NULL, &maps) < 0)
		return false;
	for (size_t i = 0; i < maps->count; i++)
		mapped += maps->regions[i].offset == IORING_OFF_SQES && begins(maps->regions[i].path, RING);
	return mapped >= look->rings;
}

const char *process_pins_memory(struct pidmem_process *process)
{
	CLEANUP(look_done) struct look look = { 0 };
	struct process_status status;

	if (process_read_status(process->memory_dir, &status) == 0 && status.vm_pin)
		return "part of it is pinned for devices or io_uring";
	list_mounts(&look, process->memory_dir, "mountinfo");
	/* Where files come from another mount namespace, it is that of this program more often than any other. */
	if (!has_our_mounts(process))
		list_mounts(&look, process->dir, "../self/mountinfo");
	look_at_files(&look, process->memory_dir, ".");
	look_at_threads(&look, process);
	if (look.device)
		return "it has a device open that writes to memory by itself";
	if (look.direct)
		return "it has files open for direct I/O";
	if (look.mounted)
		return "it has files open on a file system that may write to memory by itself";
	return all_rings_are_mapped(&look, process) ? NULL
						    : "it uses io_uring in its own memory, which is pinned for it";
}
