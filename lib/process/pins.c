/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices and the kernel write to pages that were pinned for them (Documentation/core-api/pin_user_pages.rst) without
 * a page fault: whoever tracks writes by page tables does not see it. Which pages those are is told nowhere; that there
 * can be some, is: buffers that are registered with io_uring or for RDMA count as VmPin, direct I/O needs a file that
 * was opened for it, and other devices one of theirs. What cannot be found out are sockets with AF_XDP, and single
 * writes from outside, as by process_vm_writev(2).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/link.h"
#include "process/process.h"
#include "process/status.h"

/* A file of fdinfo: "flags:" in octal (proc_pid_fdinfo(5)), and what io_uring tells of itself (Linux 5.1). */
static bool is_direct(int list, const char *name)
{
	AUTO_BUFFER text = { 0 };

	if (buffer_read_file(&text, list, name) < 0)
		return false;
	const char *flags = strstr(text.bytes, "flags:");
	const char *files = strstr(text.bytes, "UserFiles:");
	if (flags && strtoul(flags + strlen("flags:"), NULL, 8) & O_DIRECT)
		return true;
	/* Files that are registered with io_uring need no descriptor, and nothing is told of them. */
	return files && strtoul(files + strlen("UserFiles:"), NULL, 10) > 0;
}

static bool is_device(DIR *list, const char *name)
{
	return link_begins(list, name, "/dev/vfio/") || link_begins(list, name, "/dev/nvidia") ||
	       link_begins(list, name, "/dev/kfd") || link_begins(list, name, "/dev/infiniband/");
}

const char *process_pins_memory(const struct pidmem_process *process)
{
	struct process_status status;
	bool direct = false, device = false;

	if (process_read_status(process->memory_dir, &status) == 0 && status.vm_pin)
		return "part of it is pinned for devices or io_uring";
	AUTO_DIR list = open_directory_at(process->memory_dir, "fdinfo");
	for (const struct dirent *entry; list && !direct && (entry = readdir(list));)
		direct = entry->d_name[0] != '.' && is_direct(dirfd(list), entry->d_name);
	AUTO_DIR links = open_directory_at(process->memory_dir, "fd");
	for (const struct dirent *entry; links && !device && (entry = readdir(links));)
		device = is_device(links, entry->d_name);
	if (device)
		return "it has a device open that writes to memory by itself";
	return direct ? "it has files open for direct I/O" : NULL;
}
