/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A proc root made of plain files, for what this machine cannot produce. It shows two processes: the caller, and the
 * target, an ordinary process of the same user that may be read. Tests change what they are about.
 */
#ifndef UNIT_PROC_ROOT_H
#define UNIT_PROC_ROOT_H

#include <stdint.h>
#include <sys/types.h>

#define CALLER 100
#define TARGET 4242

/** struct fake - what /proc/PID/status of a made-up process says; fake() fills it with what is ordinary. */
struct fake {
	pid_t pid, tgid, ppid, tracer;
	const char *name; /* as the kernel escapes it */
	char state;
	uid_t uid[4];
	gid_t gid[4];
	int threads, seccomp, no_new_privs;
	int kthread; /* -1: no such line */
	uint64_t cap_prm, cap_eff, cap_bnd;
};

struct proc_root {
	char path[64];
};

/* The user of the two processes: may own files that these tests write. */
uid_t fake_user(void);

struct fake fake(pid_t pid, const char *name);
struct proc_root *proc_root_new(void);
void proc_root_free(struct proc_root *root);

/* Write a file, with the directories on its way. It belongs to `owner`, if these tests may give files away. */
void put_owned(struct proc_root *root, const char *name, uid_t owner, const char *text);
void put(struct proc_root *root, const char *name, const char *text);
void drop(struct proc_root *root, const char *name);

/* PID/status, or self/status for the caller; task/TID/status below TARGET for its threads. */
void put_process(struct proc_root *root, const struct fake *process);
void put_thread(struct proc_root *root, const struct fake *thread);

#endif
