/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts - everything that the access diagnosis looks at, gathered before anything is judged
 *
 * Gathering reads files below the proc root and asks the kernel harmless questions; judging
 * (access.c, checks.c) is pure. So every verdict can be tested with facts that this machine cannot produce.
 */
#ifndef PROCESS_ACCESS_FACTS_H
#define PROCESS_ACCESS_FACTS_H

#include "pidmem.h"
#include "process/access/userns.h"
#include "process/status.h"

enum presence {
	PRESENCE_NONE,      /* no process has the number */
	PRESENCE_UNCERTAIN, /* not in this procfs, and its numbers are not ours, so that kill(2) cannot be asked */
	PRESENCE_HIDDEN,    /* not in this procfs, but kill(2) knows the number */
	PRESENCE_CLOSED, /* the directory is there, the files in it are refused: hidepid=1, or a system call filter */
	PRESENCE_SEEN,   /* its status could be read */
};

/* Opening one file of the target: errno, or 0 if it worked, and whose the file is. */
struct attempt {
	int error;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* What a system call filter of the caller makes of a harmless call. */
struct filter_answer {
	bool asked;
	int error; /* the errno that the filter gave, where the kernel would have given another; 0 if it lets it pass */
	int signal; /* or the signal that it sends */
};

struct facts {
	pid_t pid;
	bool real;      /* the proc root is a procfs, not a copy of one: the kernel may be asked too */
	bool same_pids; /* and its numbers are those of this process's PID namespace */
	struct process_status self;

	enum presence presence;
	int presence_error; /* errno of the attempt to read its status */
	int hidepid;        /* 0, 1, 2 or 4; -1 if not known */
	uid_t dir_uid;      /* owner of /proc/PID: always the effective user (fs/proc/base.c, task_dump_owner) */

	struct process_status target;
	bool kthread;
	char process_name[64]; /* of target.tgid, where the number is that of another thread of it */
	char parent_name[64];
	pid_t living_thread;               /* where the first thread has ended and others go on; else 0 */
	struct attempt status;             /* owned by root if the target is not dumpable */
	struct attempt maps, mem, pagemap; /* of the living thread, if there is one */
	int link_error;                    /* of reading the link exe, which takes PTRACE_MODE_READ and nothing less */
	int read_error;          /* of one byte that is present and readable, through mem; 0 also if not tried */
	int suid_dumpable;       /* /proc/sys/fs/suid_dumpable; -1 if not known */
	char program[128];       /* a path from its command line, "" if that is no absolute path */
	mode_t program_mode;     /* 0 if there is no such file */
	bool program_unreadable; /* for the user that runs it */

	struct userns userns;
	int yama; /* kernel.yama.ptrace_scope; -1 without Yama */
	bool descendant;
	pid_t tracer;
	char tracer_name[64];
	struct filter_answer ptrace, readv;
	char modules[96];  /* active security modules that may refuse it, separated by ", " */
	char label[96];    /* what they call the target: /proc/PID/attr/current */
	char override[16]; /* proc_mem.force_override= of the kernel's command line, "" if not given */
};

/** facts_gather() - 0, or -errno with `error`: only what hinders pidmem itself, such as a lack of descriptors. */
int facts_gather(pid_t pid, const struct pidmem_open_options *options, struct pidmem_error *error, struct facts *facts);

/* probe.c: what is asked of the kernel rather than read from /proc. */
void probe_self(struct process_status *self);
void probe_filter(struct facts *facts);
void probe_modules(int root, struct facts *facts);
/* Read one present byte through `mem`: errno, or 0 also where no such byte is found among the first regions. */
int probe_read(int maps, int mem, int pagemap);

#endif
