/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop/tracee.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Linux 3.11; the headers of glibc 2.36 have them as an enum in part. */
#define GETSIGMASK 0x420a
#define SETSIGMASK 0x420b

/* ptrace(2) takes numbers as pointers. */
static void *number(uint64_t value)
{
	return (void *)(uintptr_t)value; /* NOLINT(performance-no-int-to-ptr) */
}

int tracee_seize(pid_t tid, unsigned long options)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, number(options)) < 0 ? -errno : 0;
}

int tracee_interrupt(pid_t tid)
{
	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : 0;
}

void tracee_detach(pid_t tid, int signal)
{
	ptrace(PTRACE_DETACH, tid, NULL, number((uint64_t)signal));
}

void tracee_look(struct tracee *tracee)
{
	int status;
	pid_t got = waitpid(tracee->tid, &status, WNOHANG | __WALL);

	if (got == 0)
		return;
	if (got < 0 || !WIFSTOPPED(status)) {
		tracee->state = TRACEE_GONE;
		return;
	}
	if (status >> 16 == PTRACE_EVENT_STOP) {
		tracee->state = TRACEE_STOPPED;
		tracee->group_stop = WSTOPSIG(status) != SIGTRAP;
		return;
	}
	ptrace(PTRACE_CONT, tracee->tid, NULL, number(status >> 16 ? 0 : (uint64_t)WSTOPSIG(status)));
}

ssize_t tracee_get(pid_t tid, uint32_t note, void *bytes, size_t size)
{
	struct iovec part = { bytes, size };

	return ptrace(PTRACE_GETREGSET, tid, number(note), &part) < 0 ? -errno : (ssize_t)part.iov_len;
}

int tracee_set(pid_t tid, uint32_t note, void *bytes, size_t size)
{
	struct iovec part = { bytes, size };

	return ptrace(PTRACE_SETREGSET, tid, number(note), &part) < 0 ? -errno : 0;
}

int tracee_get_mask(pid_t tid, uint64_t *mask)
{
	return ptrace(GETSIGMASK, tid, number(sizeof *mask), mask) < 0 ? -errno : 0;
}

int tracee_set_mask(pid_t tid, uint64_t mask)
{
	return ptrace(SETSIGMASK, tid, number(sizeof mask), &mask) < 0 ? -errno : 0;
}
