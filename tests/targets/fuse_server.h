/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What file servers among the victims share: FUSE (fuse(4)) without a library. */
#ifndef FUSE_SERVER_H
#define FUSE_SERVER_H

#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>

#include "victim.h"

static inline void fuse_reply(int fuse, uint64_t unique, int error, const void *data, size_t size)
{
	struct {
		struct fuse_out_header head;
		char data[256];
	} out = { .head = { .len = (uint32_t)(sizeof(out.head) + size), .error = error, .unique = unique } };

	if (size)
		memcpy(out.data, data, size);
	if (write(fuse, &out, out.head.len) != (ssize_t)out.head.len)
		_exit(1);
}

static inline void fuse_welcome(int fuse, uint64_t unique)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };

	fuse_reply(fuse, unique, 0, &init, sizeof(init));
}

/* Mounted in a mount namespace of its own: what the server reads from, and answers to. */
static inline int fuse_mount(const char *name, const char *directory)
{
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[96];

	if (fuse < 0 || unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		skip("/dev/fuse, and a mount namespace");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount(name, directory, "fuse", MS_NOSUID | MS_NODEV, options))
		skip("mount of FUSE");
	return fuse;
}

#endif
