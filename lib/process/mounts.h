/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mounts - the text of /proc/PID/mountinfo, line by line
 *
 * Pure functions on a buffer. Format: proc_pid_mountinfo(5).
 */
#ifndef PROCESS_MOUNTS_H
#define PROCESS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct pidmem_process;

/* One mount. Paths have their \040 and the like undone; what is too long is cut. */
struct mount {
	uint32_t id; /* as in fdinfo */
	uint32_t dev_major, dev_minor;
	char root[4096];  /* the directory of its file system that is mounted */
	char point[4096]; /* where */
	char type[64];
	char options[512]; /* of the file system */
};

/* The next mount from *at on, which moves behind its line; lines that are not understood are passed over. False at the
 * end of the text, which must end in a NUL. */
bool mount_next(const char **at, struct mount *mount);

/* Is this word one of the options, which are separated by commas? */
bool mount_has_option(const struct mount *mount, const char *word);

/* What kind of files each mounted device has, as a process sees them. Zeros: not looked at yet. */
struct mount_devices {
	struct mount_device {
		uint32_t dev_major, dev_minor;
		bool in_memory;
	} * items;
	size_t count, capacity;
	bool listed;
};

static inline void mount_devices_done(struct mount_devices *devices)
{
	free(devices->items);
	*devices = (struct mount_devices){ 0 };
}

/*
 * Do page faults in files of this device (as a region has it) do nothing but read them? True for what is mounted and is
 * kept on disks or servers. In files that exist in memory alone, a fault in a hole makes a page.
 */
bool mounts_fault_is_harmless(struct mount_devices *devices, const struct pidmem_process *process, uint32_t dev_major,
			      uint32_t dev_minor);

#endif
