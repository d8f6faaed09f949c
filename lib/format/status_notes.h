/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The notes about threads and the process: NT_PRSTATUS, NT_PRPSINFO, NT_SIGINFO. */
#ifndef FORMAT_STATUS_NOTES_H
#define FORMAT_STATUS_NOTES_H

#include <sys/types.h>

#include "base/buffer.h"
#include "format/layout.h"

/* The numbers of a task that both notes bear. */
struct core_ids {
	pid_t pid, ppid, pgrp, sid;
};

/*
 * struct core_thread - what NT_PRSTATUS tells
 * @signal:         that it is about to die of; 0 for none
 * @microseconds:   of CPU time: user, system, and those of its ended children
 * @registers:      @registers_size bytes; NULL if they are not known: then @pc and @sp alone, 0 if not known either
 * @floating_point: floating point registers follow in a note of their own
 */
struct core_thread {
	struct core_ids ids;
	int signal;
	uint64_t pending, blocked;
	uint64_t microseconds[4];
	const void *registers;
	size_t registers_size;
	uint64_t pc, sp;
	bool floating_point;
};

/* `machine`: EM_* of elf.h. 0 or -ENOMEM. */
int prstatus_add(struct buffer *out, const struct core_layout *layout, uint16_t machine,
		 const struct core_thread *thread);

/*
 * struct core_process - what NT_PRPSINFO tells
 * @state:     the letter of proc_pid_stat(5)
 * @flags:     PF_* of the kernel
 * @arguments: as in /proc/PID/cmdline, a NUL behind each
 */
struct core_process {
	struct core_ids ids;
	char state;
	int nice;
	uint64_t flags;
	uid_t uid;
	gid_t gid;
	const char *name;
	const char *arguments;
	size_t arguments_size;
};

int prpsinfo_add(struct buffer *out, const struct core_layout *layout, const struct core_process *process);

/* Size of siginfo_t, in both classes. */
#define SIGINFO_SIZE 128

/* `told`: siginfo_t as the tracer got it, of the library's own class. */
int siginfo_add(struct buffer *out, const struct core_layout *layout, int signal, const unsigned char *told);

#endif
