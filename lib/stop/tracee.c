/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop/tracee.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "process/process.h"
#include "process/status.h"

/* Linux 3.11; the headers of glibc 2.36 have them as an enum in part. */
#define GETSIGMASK 0x420a
#define SETSIGMASK 0x420b

int tracee_interrupt(pid_t tid)
{
	return ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 ? -errno : 0;
}

bool tracee_has_ended(pid_t tid)
{
	AUTO_BUFFER text = { 0 };
	struct process_stat stat;
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/stat", tid);
	return buffer_read_file(&text, AT_FDCWD, name) < 0 || stat_parse(text.bytes, text.size, &stat) < 0 ||
	       process_state_is_end(stat.state);
}

int tracee_seize(pid_t tid)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ? -errno : 0;
}

int tracee_detach(pid_t tid)
{
	return ptrace(PTRACE_DETACH, tid, NULL, NULL) < 0 ? -errno : 0;
}

void tracee_note(struct tracee *tracee, int status)
{
	if (!WIFSTOPPED(status)) {
		tracee->state = TRACEE_GONE;
	} else if (status >> 16 == PTRACE_EVENT_STOP) {
		tracee->state = TRACEE_STOPPED;
		tracee->group_stop = WSTOPSIG(status) != SIGTRAP;
	} else {
		uint64_t signal = status >> 16 ? 0 : (uint64_t)WSTOPSIG(status);
		ptrace(PTRACE_CONT, tracee->tid, NULL, ptrace_number(signal));
	}
}

void tracee_look(struct tracee *tracee)
{
	int status;
	pid_t got = waitpid(tracee->tid, &status, WNOHANG | __WALL);

	if (got > 0)
		tracee_note(tracee, status);
	else if (got < 0)
		tracee->state = TRACEE_GONE;
}

ssize_t tracee_get(pid_t tid, uint32_t note, void *bytes, size_t size)
{
	struct iovec part = { bytes, size };

	return ptrace(PTRACE_GETREGSET, tid, ptrace_number(note), &part) < 0 ? -errno : (ssize_t)part.iov_len;
}

int tracee_set(pid_t tid, uint32_t note, void *bytes, size_t size)
{
	struct iovec part = { bytes, size };

	return ptrace(PTRACE_SETREGSET, tid, ptrace_number(note), &part) < 0 ? -errno : 0;
}

int tracee_get_mask(pid_t tid, uint64_t *mask)
{
	return ptrace(GETSIGMASK, tid, ptrace_number(sizeof *mask), mask) < 0 ? -errno : 0;
}

int tracee_set_mask(pid_t tid, uint64_t mask)
{
	return ptrace(SETSIGMASK, tid, ptrace_number(sizeof mask), &mask) < 0 ? -errno : 0;
}
