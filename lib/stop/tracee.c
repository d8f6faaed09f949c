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

/* A tracer hears of stops as well, whatever it waits for (wait_task_stopped()), and only once: this one is for later.
 */
static void stop_again(pid_t tid, int status)
{
	if (status >> 8)
		tracee_interrupt(tid);
	ptrace(PTRACE_CONT, tid, NULL, ptrace_number(status >> 8 ? 0 : (uint64_t)status));
}

bool tracee_take_ends(void)
{
	siginfo_t news;
	bool some = false;

	for (;;) {
		news = (siginfo_t){ .si_pid = 0 };
		if (waitid(P_ALL, 0, &news, WEXITED | WNOHANG | __WALL) < 0 || !news.si_pid)
			break;
		if (news.si_code == CLD_TRAPPED)
			stop_again(news.si_pid, news.si_status);
		else
			some = true;
	}
	return some;
}

static void handle_news(int signal)
{
	int saved = errno;

	(void)signal;
	tracee_take_ends();
	errno = saved;
}

static void mask_news(int how)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(how, &child, NULL);
}

void tracee_begin_seizing(void)
{
	struct sigaction action = { .sa_handler = handle_news, .sa_flags = SA_RESTART };

	sigaction(SIGCHLD, &action, NULL);
	tracee_take_ends(); /* those of which the signal has been read already */
	mask_news(SIG_UNBLOCK);
}

void tracee_end_seizing(void)
{
	mask_news(SIG_BLOCK);
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
	ptrace(PTRACE_CONT, tracee->tid, NULL, ptrace_number(status >> 16 ? 0 : (uint64_t)WSTOPSIG(status)));
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
