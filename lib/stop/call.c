/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must survive a call, and how it does:
 *   an interrupted system call   its -ERESTART* and number are among the registers that are put back; detaching then
 *                                sends the thread through the signal path, which restarts it
 *   a temporary signal mask      (sigsuspend, ppoll) PTRACE_GETSIGMASK gives the real one; the restarted call sets
 *                                the temporary one again
 *   pending signals              everything is blocked meanwhile; SIGSTOP, which cannot be, is handed back at once:
 *                                the kernel knows that the process is to stop, and forgets it again at a SIGCONT
 *   a critical section of rseq   the thread goes on at its abort handler, where the kernel sends it at each preemption
 *                                (kernel/rseq.c). No single step: its SIGTRAP would reset the program's own handler
 */
#include "stop/call.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "stop/fitness.h"
#include "stop/instruction.h"
#include "stop/tracee.h"

#define SUSPEND_SECCOMP (1UL << 21) /* PTRACE_O_SUSPEND_SECCOMP: Linux 4.3 */

/* ERESTARTSYS to ERESTART_RESTARTBLOCK, include/linux/errno.h: the kernel would call again by itself. */
#define RESTART_FIRST (-512)
#define RESTART_LAST (-516)
#define ATTEMPTS 100

/* So long a stopped thread may take to begin a call. It never does in a frozen cgroup (cgroup.freeze). */
#define PATIENCE_US 2000000
#define FOR_EVER UINT64_MAX
#define SLICE_US 50000

/* The next stop: its status, -ESRCH if the thread has ended, -ETIMEDOUT. SIGCHLD is blocked here. */
static int next_stop(pid_t tid, uint64_t until)
{
	const struct timespec slice = { .tv_nsec = SLICE_US * 1000L };
	sigset_t child;
	int status;
	pid_t got;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while ((got = waitpid(tid, &status, __WALL | WNOHANG)) == 0) {
		if (now_us() >= until)
			return -ETIMEDOUT;
		sigtimedwait(&child, NULL, &slice);
		if (tracee_has_ended(tid))
			return -ESRCH;
	}
	return got == tid && WIFSTOPPED(status) ? status >> 8 : -ESRCH;
}

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define CLONE_STOP (SIGTRAP | PTRACE_EVENT_CLONE << 8)

static int set_options(pid_t tid, bool seccomp)
{
	unsigned long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | (seccomp ? SUSPEND_SECCOMP : 0);

	return ptrace(PTRACE_SETOPTIONS, tid, NULL, ptrace_number(options)) < 0 ? -errno : 0;
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
	if (ptrace(PTRACE_SETOPTIONS, (pid_t)child, NULL, ptrace_number(with_seccomp)) < 0)
		ptrace(PTRACE_SETOPTIONS, (pid_t)child, NULL, ptrace_number(options));
	caller->child = (pid_t)child;
}

/* To the next stop at the border of a system call, entry or exit: 0, -ESRCH, or -EBUSY if it is not reached in time. */
static int run_to_border(struct caller *caller, uint64_t until)
{
	int stop = 0;

	for (;;) {
		bool late = false;
		int signal = stop >> 8 ? 0 : stop;
		if (ptrace(PTRACE_SYSCALL, caller->tid, NULL, ptrace_number((uint64_t)signal)) < 0)
			return -ESRCH;
		stop = next_stop(caller->tid, until);
		if (stop == -ETIMEDOUT && tracee_interrupt(caller->tid) == 0) {
			late = true;
			stop = next_stop(caller->tid, FOR_EVER);
		}
		if (stop < 0)
			return -ESRCH;
		if (stop == SYSCALL_STOP)
			return 0;
		if (stop == CLONE_STOP)
			receive_child(caller);
		/* A signal that is forced on it, SIGSEGV: the instruction was none. */
		if ((late && stop >> 8 == PTRACE_EVENT_STOP) || (stop >> 8 == 0 && stop != SIGSTOP))
			return -EBUSY;
	}
}

long call_make(struct caller *caller, long call, const uint64_t arguments[6])
{
	uint64_t registers[sizeof caller->registers / sizeof caller->registers[0]];
	size_t size = caller->arch->registers_size;
	long result;

	for (int i = 0; i < ATTEMPTS; i++) {
		memcpy(registers, caller->registers, size);
		caller->arch->set_call(registers, caller->instruction, call, arguments);
		if (tracee_set(caller->tid, 1, registers, size) < 0)
			return -ESRCH;
		if ((result = run_to_border(caller, now_us() + PATIENCE_US)) < 0 ||
		    (result = run_to_border(caller, FOR_EVER)) < 0)
			return result;
		if (tracee_get(caller->tid, 1, registers, size) < 0)
			return -ESRCH;
		result = caller->arch->call_result(registers);
		if (result > RESTART_FIRST || result < RESTART_LAST)
			return result;
	}
	return -EAGAIN;
}

static int get_registers(struct caller *caller)
{
	ssize_t size = tracee_get(caller->tid, 1, caller->registers, sizeof caller->registers);

	if (size < 0)
		return (int)size;
	caller->arch = arch_of_registers((size_t)size);
	return caller->arch ? 0 : -ENOSYS;
}

int call_begin(struct caller *caller, pid_t pid, pid_t tid)
{
	*caller = (struct caller){ .pid = pid, .tid = tid };
	int result = get_registers(caller);

	if (result < 0)
		return result;
	uint64_t pc = caller->arch->program_counter(caller->registers);
	/* At 0 are the workers of io_uring: threads of the process that never leave the kernel. */
	if (!pc || !caller->arch->can_call(caller->registers) || fitness_is_dispatched(tid))
		return -EBUSY;
	if ((result = instruction_find(tid, caller->arch, pc, &caller->instruction)) < 0)
		return result;
	bool seccomp = fitness_has_seccomp(pid, tid);
	if (set_options(tid, seccomp) < 0)
		return seccomp ? -EACCES : -ESRCH;
	uint64_t abort = fitness_abort_address(pid, tid, pc);
	if (abort)
		caller->arch->set_program_counter(caller->registers, abort);
	if (tracee_get_mask(tid, &caller->mask) < 0 || tracee_set_mask(tid, UINT64_MAX) < 0)
		return -ESRCH;
	return 0;
}

int call_begin_any(struct caller *caller, const struct stop_process *process)
{
	int reason = -ESRCH;

	for (size_t i = 0; i < process->count; i++) {
		if (process->tracees[i].state != TRACEE_STOPPED)
			continue;
		int result = call_begin(caller, process->pid, process->tracees[i].tid);
		if (result == 0)
			return 0;
		reason = reason == -ESRCH ? result : reason;
	}
	return reason;
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
