/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must survive a call, and how it does:
 *   an interrupted system call   its -ERESTART* and number are among the registers that are put back; detaching then
 *                                sends the thread through the signal path, which restarts it
 *   a temporary signal mask      (sigsuspend, ppoll) PTRACE_GETSIGMASK gives the real one; the restarted call sets
 *                                the temporary one again
 *   pending signals              everything is blocked meanwhile; SIGSTOP, which cannot be, is held and passed on
 *   a critical section of rseq   the thread is stepped once: the kernel then sends it to its abort handler, as it does
 *                                at each preemption (kernel/rseq.c)
 */
#include "stop/call.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "stop/fitness.h"
#include "stop/instruction.h"
#include "stop/tracee.h"

#define SUSPEND_SECCOMP (1UL << 21) /* PTRACE_O_SUSPEND_SECCOMP: Linux 4.3 */

/* ERESTARTSYS to ERESTART_RESTARTBLOCK, include/linux/errno.h: the kernel would call again by itself. */
#define RESTART_FIRST (-512)
#define RESTART_LAST (-516)
#define ATTEMPTS 100

static void *number(uint64_t value)
{
	return (void *)(uintptr_t)value; /* NOLINT(performance-no-int-to-ptr) */
}

/* Run to the next stop: its status, or -1 if the thread has ended. */
static int run(pid_t tid, int how, int signal)
{
	int status;

	if (ptrace(how, tid, NULL, number((uint64_t)signal)) < 0 || waitpid(tid, &status, __WALL) != tid ||
	    !WIFSTOPPED(status))
		return -1;
	return status >> 8;
}

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define CLONE_STOP (SIGTRAP | PTRACE_EVENT_CLONE << 8)

static int set_options(pid_t tid, bool seccomp)
{
	unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | (seccomp ? SUSPEND_SECCOMP : 0);

	return ptrace(PTRACE_SETOPTIONS, tid, NULL, number(options)) < 0 ? -errno : 0;
}

/* A child was made. It stands still from birth on; from here on it dies with us. */
static void receive_child(struct caller *caller)
{
	unsigned long child = 0;
	int status;

	if (ptrace(PTRACE_GETEVENTMSG, caller->tid, NULL, &child) < 0 ||
	    waitpid((pid_t)child, &status, __WALL) != (pid_t)child || !WIFSTOPPED(status))
		return;
	unsigned long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	unsigned long with_seccomp = options | SUSPEND_SECCOMP;
	if (ptrace(PTRACE_SETOPTIONS, (pid_t)child, NULL, number(with_seccomp)) < 0)
		ptrace(PTRACE_SETOPTIONS, (pid_t)child, NULL, number(options));
	caller->child = (pid_t)child;
}

/* To the next stop at the border of a system call, entry or exit. */
static int run_to_border(struct caller *caller)
{
	for (;;) {
		int stop = run(caller->tid, PTRACE_SYSCALL, 0);
		if (stop < 0 || stop == SYSCALL_STOP)
			return stop;
		if (stop == CLONE_STOP)
			receive_child(caller);
		else if (stop >> 8 == 0)
			caller->held = stop;
	}
}

long call_make(struct caller *caller, long call, const uint64_t arguments[6])
{
	uint64_t registers[sizeof caller->registers / sizeof caller->registers[0]];
	size_t size = caller->arch->registers_size;
	long result = -EAGAIN;

	for (int i = 0; i < ATTEMPTS; i++) {
		memcpy(registers, caller->registers, size);
		caller->arch->set_call(registers, caller->instruction, call, arguments);
		if (tracee_set(caller->tid, 1, registers, size) < 0 || run_to_border(caller) < 0 ||
		    run_to_border(caller) < 0 || tracee_get(caller->tid, 1, registers, size) < 0)
			return -ESRCH;
		result = caller->arch->call_result(registers);
		if (result > RESTART_FIRST || result < RESTART_LAST)
			return result;
	}
	return result;
}

static int get_registers(struct caller *caller)
{
	ssize_t size = tracee_get(caller->tid, 1, caller->registers, sizeof caller->registers);

	if (size < 0)
		return (int)size;
	caller->arch = arch_of_registers((size_t)size);
	return caller->arch ? 0 : -ENOSYS;
}

/* Out of a critical section of rseq: the first step leads to its abort handler. */
static int leave_critical_section(struct caller *caller)
{
	for (int i = 0; i < 3; i++) {
		if (!fitness_in_critical_section(caller->pid, caller->tid,
						 caller->arch->program_counter(caller->registers)))
			return 0;
		if (run(caller->tid, PTRACE_SINGLESTEP, 0) < 0 || get_registers(caller) < 0)
			return -ESRCH;
	}
	return -EBUSY;
}

int call_begin(struct caller *caller, pid_t pid, pid_t tid)
{
	*caller = (struct caller){ .pid = pid, .tid = tid };
	int result = get_registers(caller);

	if (result < 0)
		return result;
	if (!caller->arch->can_call(caller->registers) || fitness_is_dispatched(tid))
		return -EBUSY;
	result = instruction_find(tid, caller->arch, &caller->instruction);
	if (result < 0)
		return result;
	bool seccomp = fitness_has_seccomp(pid, tid);
	if (set_options(tid, seccomp) < 0)
		return seccomp ? -EACCES : -ESRCH;
	if ((result = leave_critical_section(caller)) < 0)
		return result;
	if (tracee_get_mask(tid, &caller->mask) < 0 || tracee_set_mask(tid, UINT64_MAX) < 0)
		return -ESRCH;
	return 0;
}

void call_end(struct caller *caller)
{
	tracee_set(caller->tid, 1, caller->registers, caller->arch->registers_size);
	tracee_set_mask(caller->tid, caller->mask);
	ptrace(PTRACE_SETOPTIONS, caller->tid, NULL, NULL);
}

int call_begin_copy(struct caller *caller, const struct caller *parent, pid_t copy)
{
	*caller = (struct caller){ .pid = copy, .tid = copy, .instruction = parent->instruction };
	return get_registers(caller);
}
