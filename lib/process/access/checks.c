/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process/access/checks.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "process/access/words.h"

void verdict(struct pidmem_check *check, enum pidmem_verdict value, const char *format, ...)
{
	va_list arguments;

	check->verdict = value;
	va_start(arguments, format);
	vsnprintf(check->fact, sizeof check->fact, format, arguments);
	va_end(arguments);
}

void way_out(struct pidmem_check *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(check->fix, sizeof check->fix, format, arguments);
	va_end(arguments);
}

/* CAP_DAC_READ_SEARCH as well: /proc/PID/mem has mode 0600, and no right to trace changes that. */
void way_out_privilege(const struct facts *facts, struct pidmem_check *check)
{
	if (!(facts->self.cap_bnd >> CAP_SYS_PTRACE & 1))
		way_out(check, "start the container with --cap-add SYS_PTRACE, or run pidmem outside it: "
			       "here CAP_SYS_PTRACE can no longer be had");
	else if (facts->self.uid[ID_FS] == 0)
		way_out(check, "run it with CAP_SYS_PTRACE, which was taken from this root "
			       "(in a container: --cap-add SYS_PTRACE)");
	else if (facts->self.no_new_privs == 1)
		way_out(check, "run it as root, from outside this sandbox: no_new_privs is set, so that sudo and "
			       "file capabilities have no effect");
	else
		way_out(check, "run it as root, or give pidmem CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
}

/* --------------------------------------------------------------------------------------------- existence --- */

static void look_number(const struct facts *facts, struct pidmem_check *check)
{
	switch (facts->presence) {
	case PRESENCE_NONE:
		verdict(check, PIDMEM_REFUSES, "there is no process %d", facts->pid);
		way_out(check, "list the processes with ps -e");
		break;
	case PRESENCE_UNCERTAIN:
		verdict(check, PIDMEM_UNKNOWN, "no process %d is to be seen, but hidepid may hide it", facts->pid);
		break;
	case PRESENCE_HIDDEN:
	case PRESENCE_CLOSED:
		verdict(check, PIDMEM_PASSED, "process %d exists", facts->pid);
		break;
	case PRESENCE_SEEN:
		if (facts->target.tgid == facts->pid) {
			verdict(check, PIDMEM_PASSED, "process %d exists", facts->pid);
			break;
		}
		verdict(check, PIDMEM_REFUSES, "%d is a thread of process %d (%s), not a process", facts->pid,
			facts->target.tgid, facts->process_name);
		way_out(check, "name the process: %d", facts->target.tgid);
	}
}

static void hidden(const struct facts *facts, struct pidmem_check *check)
{
	static const char *const effects[] = {
		[1] = "closes the files of other users' processes",
		[2] = "hides other users' processes",
		[4] = "hides processes that one may not trace",
	};

	if (facts->hidepid > 0)
		verdict(check, PIDMEM_REFUSES, "procfs is mounted with hidepid=%d, which %s", facts->hidepid,
			effects[facts->hidepid]);
	else
		verdict(check, PIDMEM_REFUSES, "the kernel knows process %d, but procfs does not show it", facts->pid);
	way_out(check, "run it as root (or with CAP_SYS_PTRACE), or join the group of the gid= option that procfs is "
		       "mounted with");
}

static void look_hidepid(const struct facts *facts, struct pidmem_check *check)
{
	bool on = facts->hidepid > 0;

	if (facts->presence == PRESENCE_HIDDEN || (facts->presence == PRESENCE_CLOSED && on) ||
	    facts->presence == PRESENCE_UNCERTAIN)
		hidden(facts, check);
	else if (facts->presence == PRESENCE_CLOSED && facts->hidepid < 0)
		verdict(check, PIDMEM_UNKNOWN, "the options of procfs could not be read");
	else if (facts->presence == PRESENCE_NONE && on)
		verdict(check, PIDMEM_PASSED,
			"procfs is mounted with hidepid=%d, but the kernel does not know the number", facts->hidepid);
	else if (on)
		verdict(check, PIDMEM_PASSED, "procfs is mounted with hidepid=%d, but shows it to you", facts->hidepid);
	else
		verdict(check, PIDMEM_PASSED, "procfs does not hide processes");
}

static void look_kthread(const struct facts *facts, struct pidmem_check *check)
{
	if (facts->presence == PRESENCE_CLOSED)
		verdict(check, PIDMEM_UNKNOWN, "its status cannot be read");
	else if (facts->kthread)
		verdict(check, PIDMEM_REFUSES, "it is a kernel thread: it has no memory of its own");
	else
		verdict(check, PIDMEM_PASSED, "it is no kernel thread");
}

static void look_zombie(const struct facts *facts, struct pidmem_check *check)
{
	if (facts->presence == PRESENCE_CLOSED)
		verdict(check, PIDMEM_UNKNOWN, "its status cannot be read");
	else if (facts->living_thread)
		verdict(check, PIDMEM_PASSED, "its first thread has ended, but others go on (thread %d)",
			facts->living_thread);
	else if (!has_ended_whole(facts))
		verdict(check, PIDMEM_PASSED, "it has not ended");
	else
		verdict(check, PIDMEM_REFUSES,
			"it has ended and waits for its parent, process %d (%s), to take note (a zombie): its memory "
			"is gone",
			facts->target.ppid, facts->parent_name[0] ? facts->parent_name : "unknown");
}

/* ------------------------------------------------------------------------------------ hindrances afterwards --- */

static void look_traced(const struct facts *facts, struct pidmem_check *check)
{
	if (!facts->tracer) {
		verdict(check, PIDMEM_PASSED, "nobody traces it");
	} else if (facts->tracer == facts->self.tgid || facts->tracer == facts->self.pid) {
		verdict(check, PIDMEM_PASSED, "this very process traces it");
	} else {
		verdict(check, PIDMEM_LIMITS,
			"process %d (%s) traces it already: it can be read while it runs, but not stopped or attached "
			"to",
			facts->tracer, facts->tracer_name[0] ? facts->tracer_name : "unknown");
		way_out(check, "end process %d, or let it detach", facts->tracer);
	}
}

static bool refuses_call(const struct filter_answer *answer)
{
	return answer->error || answer->signal;
}

/* "ptrace (EPERM)", "ptrace (SIGSYS)" */
static struct words refused_call(const char *call, const struct filter_answer *answer)
{
	struct words words;

	if (answer->signal)
		snprintf(words.text, sizeof words.text, "%s (SIG%s)", call, sigabbrev_np(answer->signal));
	else
		snprintf(words.text, sizeof words.text, "%s (%.80s)", call, words_errno(answer->error).text);
	return words;
}

static void look_seccomp(const struct facts *facts, struct pidmem_check *check)
{
	bool ptrace = refuses_call(&facts->ptrace), readv = refuses_call(&facts->readv);
	int error = filter_errno(facts);

	if (facts->self.seccomp <= 0) {
		verdict(check, PIDMEM_PASSED, "no system call filter binds this process");
		return;
	}
	if (error)
		verdict(check, PIDMEM_REFUSES,
			"a system call filter (seccomp) binds this process: opening the target's files fails with %s, "
			"which is no answer of the kernel's own rules",
			words_errno(error).text);
	else if (ptrace || readv)
		verdict(check, PIDMEM_LIMITS,
			"a system call filter (seccomp) refuses this process %s%s%s: reading works without%s",
			ptrace ? refused_call("ptrace", &facts->ptrace).text : "", ptrace && readv ? " and " : "",
			readv ? refused_call("process_vm_readv", &facts->readv).text : "",
			ptrace ? ", stopping does not" : "");
	else if (!facts->ptrace.asked)
		verdict(check, PIDMEM_UNKNOWN,
			"a system call filter (seccomp) binds this process, and could not be asked about ptrace");
	else
		verdict(check, PIDMEM_PASSED,
			"a system call filter (seccomp) binds this process, but lets pass what is needed");
	if (check->verdict != PIDMEM_PASSED && check->verdict != PIDMEM_UNKNOWN)
		way_out(check, "run pidmem outside the sandbox, container or service that sets the filter "
			       "(docker: --security-opt seccomp=unconfined)");
}

static void look_mem(const struct facts *facts, struct pidmem_check *check)
{
	bool limited = !strcmp(facts->override, "never") || !strcmp(facts->override, "ptrace");

	if (facts->mem.error) {
		verdict(check, PIDMEM_UNKNOWN, "/proc/%d/mem cannot be opened", facts->pid);
	} else if (facts->read_error) {
		verdict(check, PIDMEM_REFUSES,
			"/proc/%d/mem can be opened, but reading a page that is there fails with %s", facts->pid,
			words_errno(facts->read_error).text);
		way_out(check, "a kernel older than 3.3 or a hardened one: use its own means, or another kernel");
	} else if (limited) {
		verdict(check, PIDMEM_LIMITS,
			"the kernel was started with proc_mem.force_override=%s: pages without read permission cannot "
			"be read",
			facts->override);
		way_out(check, "start the kernel with proc_mem.force_override=always");
	} else if (facts->pagemap.error) {
		verdict(check, PIDMEM_LIMITS,
			"/proc/%d/pagemap cannot be opened (%s): what is in memory cannot be told", facts->pid,
			words_errno(facts->pagemap.error).text);
		way_out(check, "use a kernel with CONFIG_PROC_PAGE_MONITOR");
	} else {
		verdict(check, PIDMEM_PASSED, "/proc/%d/mem can be read", facts->pid);
	}
}

const struct access_check access_checks[PIDMEM_CAUSES - 1] = {
	{ PIDMEM_CAUSE_NO_SUCH_PROCESS, STAGE_NUMBER, look_number },
	{ PIDMEM_CAUSE_HIDEPID, STAGE_NUMBER, look_hidepid },
	{ PIDMEM_CAUSE_KERNEL_THREAD, STAGE_STATUS, look_kthread },
	{ PIDMEM_CAUSE_ZOMBIE, STAGE_USER, look_zombie },
	{ PIDMEM_CAUSE_OTHER_USER, STAGE_CLOSED, look_user },
	{ PIDMEM_CAUSE_NOT_DUMPABLE, STAGE_MEMORY, look_dumpable },
	{ PIDMEM_CAUSE_MISSING_CAPABILITY, STAGE_MEMORY, look_capability },
	{ PIDMEM_CAUSE_USER_NAMESPACE, STAGE_MEMORY, look_userns },
	{ PIDMEM_CAUSE_YAMA_SCOPE, STAGE_MEMORY, look_yama },
	{ PIDMEM_CAUSE_LSM, STAGE_MEMORY, look_modules },
	{ PIDMEM_CAUSE_ALREADY_TRACED, STAGE_MEMORY, look_traced },
	{ PIDMEM_CAUSE_SECCOMP, STAGE_CLOSED, look_seccomp },
	{ PIDMEM_CAUSE_MEM_RESTRICTED, STAGE_MEMORY, look_mem },
};
