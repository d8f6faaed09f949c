/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One traced thread, as the guard has it: thin words for ptrace(2). All of this is for one thread of one process. */
#ifndef STOP_TRACEE_H
#define STOP_TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ptrace(2) takes numbers as pointers. */
static inline void *ptrace_number(uint64_t value)
{
	return (void *)(uintptr_t)value; /* NOLINT(performance-no-int-to-ptr) */
}

enum tracee_state {
	TRACEE_RUNNING, /* asked to stop, has not done so yet */
	TRACEE_STOPPED, /* in a ptrace stop: registers can be read and set */
	TRACEE_GONE,    /* has ended */
	TRACEE_ENDED,   /* was at its end already: a first thread that ended before the others; never seized */
};

struct tracee {
	pid_t tid;
	enum tracee_state state;
	bool group_stop; /* was stopped by SIGSTOP and the like already */
};

/* Begin to trace: 0; -ESRCH if the thread has ended; -EPERM. Nothing is stopped. */
int tracee_seize(pid_t tid);
/* Has the thread ended? A first one may be waited for only when all others have been, or never, after execve(2). */
bool tracee_has_ended(pid_t tid);
/* Ask it to stop: at once in user space, at the next chance in the kernel. */
int tracee_interrupt(pid_t tid);
/* Let go: it runs on where it was, an interrupted system call is restarted, or it goes back to its group stop. -ESRCH
 * if it has been killed. */
int tracee_detach(pid_t tid);

/*
 * Take note of news of it, a status of waitpid(2): it has stopped, or ended, or was about to take a signal. That is
 * handed back: the stop that was asked for follows before its next instruction (get_signal() looks for stops before
 * signals).
 */
void tracee_note(struct tracee *tracee, int status);
/* Take the news of it that there is, without waiting. */
void tracee_look(struct tracee *tracee);

/* One register set (NT_*) into `bytes`: its size, or -errno; and from `bytes`, which are left as they are. */
ssize_t tracee_get(pid_t tid, uint32_t note, void *bytes, size_t size);
int tracee_set(pid_t tid, uint32_t note, void *bytes, size_t size);

int tracee_get_mask(pid_t tid, uint64_t *mask);
int tracee_set_mask(pid_t tid, uint64_t mask);

#endif
