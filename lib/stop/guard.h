/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guard - the helper process that holds a stop set
 *
 * All ptrace(2) is done by a process of its own, forked by guard_start(). Whatever happens to its client - SIGKILL, a
 * crash, an exit in the middle - the guard sees the end of their socket, completes what it has begun, resumes what is
 * stopped, ends the copies and has them waited for, and exits. The client meanwhile reads through /proc/PID/mem, which
 * needs no tracer. As a process of its own it also keeps wait(2) of the program that links the library free of
 * strangers' stops, and makes the handle usable by any thread: a tracer is a thread, not a process (ptrace(2)).
 *
 * The order of calls: guard_start, guard_stop, any number of guard_copy, guard_resume, guard_threads, guard_end.
 * guard_end() puts right everything at any time.
 */
#ifndef STOP_GUARD_H
#define STOP_GUARD_H

#include "base/cleanup.h"
#include "pidmem.h"

struct guard;
struct arch;

/* The registers of one kind, as PTRACE_GETREGSET gives them: NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE... of elf.h. */
struct register_set {
	uint32_t note;
	uint32_t size;
	const unsigned char *bytes;
};

#define REGISTER_SETS 8

/*
 * A thread of a stopped process, at the moment of the stop. One that did not stop (in an uninterruptible wait, a parent
 * in vfork, the ended first thread) has no register sets.
 */
struct stopped_thread {
	pid_t tid;
	char state;       /* the letter of proc_pid_stat(5), as it was before the stop where that could be told */
	bool stopped;     /* registers are there */
	uint64_t blocked; /* its signal mask */
	struct register_set sets[REGISTER_SETS];
	size_t set_count;
	unsigned char siginfo[128]; /* siginfo_t of the signal that it was about to take, or zeros */
	uint64_t pc, sp;            /* of one that did not stop, from /proc/PID/task/TID/syscall; 0 if not to be had */
};

struct stopped_threads {
	const struct arch *arch; /* of the process's registers; NULL if no thread stopped */
	size_t count;
	struct stopped_thread *threads; /* the first thread of the process first, then by TID */
	void *bytes;                    /* what the register sets point into */
};
void stopped_threads_free(struct stopped_threads *threads);

/* Fork the guard. Errors: PIDMEM_SYSTEM. */
int guard_start(struct pidmem_error *error, struct guard **guard);

/* Resume what is stopped, end copies, have them waited for by their parents, end the guard. */
void guard_end(struct guard *guard);
DEFINE_CLEANUP(cleanup_guard, struct guard *, guard_end)
#define AUTO_GUARD CLEANUP(cleanup_guard) struct guard *

/*
 * Stop all threads of all these processes. A thread that does not stop within `patience_ms` after all others have is
 * left running and told as such; the call succeeds as long as some thread of each process stopped. A further call
 * stops more processes beside them, which get the next indexes. Errors, with everything resumed: PIDMEM_ACCESS (EPERM:
 * not allowed; EBUSY: already traced, .tid is the tracer), PIDMEM_GONE, PIDMEM_SYSTEM.
 */
int guard_stop(struct guard *guard, const pid_t *pids, size_t count, unsigned patience_ms, struct pidmem_error *error);

/*
 * Make a frozen copy of the stopped process `index` by one injected clone(2). The copy never runs; it has no open
 * files, oom_score_adj 1000, no exit signal, and ends with the guard. Errors: PIDMEM_UNSUPPORTED with .sys: EAGAIN
 * (pids.max or RLIMIT_NPROC), ENOMEM, EACCES (seccomp that cannot be suspended), EBUSY (no thread can make a call now),
 * ENOSYS (no such architecture); PIDMEM_GONE; PIDMEM_SYSTEM.
 */
int guard_copy(struct guard *guard, size_t index, struct pidmem_error *error, pid_t *copy);

/*
 * Open a userfaultfd(2) on the address space of the stopped process `index`, to track its writes by: *fd is the
 * caller's. The process itself keeps none. Errors: PIDMEM_UNSUPPORTED with .sys as for guard_copy(), or EMFILE (it may
 * open no more files), EPERM, ENOSYS; PIDMEM_GONE; PIDMEM_SYSTEM.
 */
int guard_track(struct guard *guard, size_t index, struct pidmem_error *error, int *fd);

/* Let the threads run on. *pause_us: from the first thread stopped to the last one resumed; after a guard_stop() that
 * failed: of that stop, 0 if it came to none. */
int guard_resume(struct guard *guard, struct pidmem_error *error, uint64_t *pause_us);

/* End the copies and have them waited for: the stops that takes, one for each process, in stops_us (room for `count`
 * processes). guard_end() does the same, and tells nobody. */
int guard_reap(struct guard *guard, struct pidmem_error *error, uint64_t *stops_us);

/* Let process `index` go alone: resume it, end its copy and have that waited for. The two stops that end by it, its own
 * and that for the copy, in stops_us; 0 where there was none. */
int guard_release(struct guard *guard, size_t index, struct pidmem_error *error, uint64_t stops_us[2]);

/* The threads of process `index` as they were stopped. */
int guard_threads(struct guard *guard, size_t index, struct pidmem_error *error, struct stopped_threads **threads);

#endif
