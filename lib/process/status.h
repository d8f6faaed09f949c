/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * status - the text of /proc/PID/status and /proc/PID/stat
 *
 * Pure functions on a buffer: opening the file is somebody else's work, so that captured and broken texts can
 * be test data. Nothing is read past text + size, which need not end in a NUL. Format: proc_pid_status(5),
 * proc_pid_stat(5), fs/proc/array.c.
 */
#ifndef PIDMEM_PROCESS_STATUS_H
#define PIDMEM_PROCESS_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Indexes of the four identities in the lines Uid: and Gid:. */
enum process_id {
	ID_REAL,
	ID_EFFECTIVE,
	ID_SAVED,
	ID_FS,
};
#define PROCESS_IDS 4

/* PF_KTHREAD of include/linux/sched.h: a kernel thread. Has not moved since Linux 2.6.27. */
#define PROCESS_FLAG_KTHREAD 0x00200000U

/**
 * struct process_status - what is used of /proc/PID/status
 * @name:         unescaped; the kernel writes newline and backslash as "\n" and "\\"
 * @state:        the letter of proc_pid_stat(5)
 * @tgid:         the process that this thread belongs to
 * @tracer:       the thread that traces it, or 0
 * @threads:      0 where the kernel does not tell (a process that is already gone)
 * @seccomp:      0 off, 1 strict, 2 filter; -1 where not told (before Linux 3.8)
 * @no_new_privs: 0 or 1; -1 where not told (before Linux 4.10)
 * @kthread:      0 or 1; -1 where not told (before Linux 6.8: see struct process_stat.flags then)
 * @ns_pid_count: how many PID namespaces, from that of this procfs inwards, know it; 0 where not told (before 4.1)
 * @sig_pending, @sig_blocked: masks of the thread's own signals, the lowest bit for signal 1
 * @has_memory:   the Vm lines are there: it has an address space
 * @vm_size, @vm_rss, @rss_anon, @rss_shmem, @vm_pte, @vm_swap, @hugetlb: in bytes; @rss_anon since 4.5
 */
struct process_status {
	char name[64];
	char state;
	pid_t tgid, pid, ppid, tracer;
	uid_t uid[PROCESS_IDS];
	gid_t gid[PROCESS_IDS];
	unsigned threads;
	uint64_t sig_pending, sig_blocked;
	uint64_t cap_inh, cap_prm, cap_eff, cap_bnd;
	int seccomp, no_new_privs, kthread;
	unsigned ns_pid_count;
	bool has_memory;
	uint64_t vm_size, vm_rss, rss_anon, rss_shmem, vm_pte, vm_pin, vm_swap, hugetlb;
};

/** status_parse() - 0, or -EBADMSG if Name, State, Tgid, Pid, PPid, Uid or Gid is missing or any line used is
 * malformed. */
int status_parse(const char *text, size_t size, struct process_status *out);

/**
 * struct process_stat - what is used of /proc/PID/stat
 * @name:       as it is: it may hold spaces, newlines and parentheses
 * @pgrp, @session: fields 5 and 6; -1 of a thread that has ended
 * @flags:      field 9, PF_* of the kernel: PROCESS_FLAG_KTHREAD
 * @times:      fields 14 to 17, in clock ticks: user and system, and those of ended children that were waited for
 * @nice:       field 19
 * @threads:    field 20; of a process that has ended but for its first entry, 1 or 0
 * @start_time: field 22, in clock ticks since boot
 * @arg_start, @arg_end: fields 48 and 49 (Linux 3.5), where its arguments are in its memory; 0 where that is not told
 */
struct process_stat {
	char name[64];
	char state;
	pid_t pid, ppid, pgrp, session;
	unsigned flags;
	uint64_t times[4];
	int nice;
	unsigned threads;
	uint64_t start_time;
	uint64_t arg_start, arg_end;
};

/** stat_parse() - 0, or -EBADMSG if it is not the line of proc_pid_stat(5), up to field 22 at least. */
int stat_parse(const char *text, size_t size, struct process_stat *out);
/** stat_arguments() - how many bytes the command line has, at most @most; 0 if it is not told. */
size_t stat_arguments(const struct process_stat *stat, size_t most);

#endif
