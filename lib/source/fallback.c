/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Never a silent step down: why a process is stopped instead of copied, or read live instead of stopped. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "process/headroom.h"
#include "process/maps.h"
#include "process/process.h"
#include "process/status.h"
#include "source/freeze.h"

void fall_back_to_live(struct frozen *frozen, const char *reason)
{
	frozen->consistency = PIDMEM_LIVE;
	snprintf(frozen->fallback, sizeof frozen->fallback, "not stopped: %s; it was read while it ran on", reason);
}

static int live_or_fail(struct frozen *frozen, const char *reason, int number, struct pidmem_error *error)
{
	const struct pidmem_process *process = frozen->process;

	if (frozen->freeze->options.fall_back) {
		fall_back_to_live(frozen, reason);
		return 0;
	}
	return with_hint(error,
			 fail(error, number == EOPNOTSUPP ? PIDMEM_UNSUPPORTED : PIDMEM_ACCESS, number,
			      "process %d (%s) cannot be stopped: %s", process->pid, process->name, reason),
			 "read it live: it runs on while it is read");
}

int fall_back_from_stop(struct frozen *frozen, struct pidmem_error *error)
{
	struct process_status status;
	char reason[128];

	if (frozen->process->pid == getpid() && process_is_near(frozen->process))
		return live_or_fail(frozen, "it is the program that reads", EOPNOTSUPP, error);
	if (!process_is_near(frozen->process))
		return live_or_fail(frozen, "it has another number in this PID namespace", EOPNOTSUPP, error);
	if (process_read_status(frozen->process->memory_dir, &status) < 0 || status.tracer == 0)
		return 0;
	snprintf(reason, sizeof reason, "it is traced already, by process %d", status.tracer);
	int result = live_or_fail(frozen, reason, EBUSY, error);
	if (result < 0 && error)
		error->tid = status.tracer;
	return result;
}

/* With UFFD_FEATURE_EVENT_FORK the clone would wait for a handler, which may be stopped; and without it, the copy would
 * show zeros where the handler has not supplied pages yet. */
static bool has_userfaultfd(const struct frozen *frozen)
{
	const struct pidmem_maps *maps = frozen->live->maps;

	for (size_t i = 0; i < maps->count; i++)
		if (region_has_userfaultfd(&maps->regions[i]))
			return true;
	return false;
}

static bool may_be_copied(struct frozen *frozen, uint64_t *promised, char *reason, size_t size)
{
	struct process_status status;

	if (has_userfaultfd(frozen)) {
		snprintf(reason, size, "a userfaultfd is registered for its memory");
		return false;
	}
	if (process_read_status(frozen->process->memory_dir, &status) < 0)
		return true; /* gone: others tell */
	return headroom_has_huge_pages(frozen->process, &status, reason, size) &&
	       headroom_has_memory(frozen->process, &status, promised, reason, size);
}

void check_copy(struct frozen *frozen, uint64_t *promised)
{
	if (may_be_copied(frozen, promised, frozen->no_copy, sizeof frozen->no_copy))
		frozen->no_copy[0] = 0;
}

void explain_no_copy(struct frozen *frozen, int failure, const struct pidmem_error *cause, char *reason, size_t size)
{
	switch (-failure) {
	case EAGAIN:
		headroom_explain_processes(frozen->process, reason, size);
		return;
	case ENOMEM:
		headroom_explain_memory(frozen->process, reason, size);
		return;
	case EACCES:
		snprintf(reason, size, "its seccomp filters cannot be suspended without CAP_SYS_ADMIN");
		return;
	case EBUSY:
		snprintf(reason, size, "no thread of it can make a system call now");
		return;
	case ENOSYS:
		snprintf(reason, size, "it has no system call instruction of a known kind");
		return;
	case ESRCH:
		snprintf(reason, size, "its copy was ended at once: out of memory?");
		return;
	default:
		snprintf(reason, size, "%s", cause->text);
	}
}

int fall_back_from_snapshot(struct pidmem_freeze *freeze, const struct frozen *frozen, const char *reason,
			    struct pidmem_error *error)
{
	const struct pidmem_process *process = frozen->process;

	if (!freeze->options.fall_back || freeze->options.max_pause_us)
		return with_hint(error,
				 fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP,
				      "no snapshot of process %d (%s) is possible: %s", process->pid, process->name,
				      reason),
				 "%s", freeze->options.max_pause_us ? "allow any pause" : "read it stopped instead");
	freeze->options.consistency = PIDMEM_STOPPED;
	snprintf(freeze->fallback, sizeof freeze->fallback,
		 "no snapshot of process %d: %s; the process was stopped while it was read", process->pid, reason);
	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *one = freeze->items[i];
		if (one->consistency != PIDMEM_SNAPSHOT)
			continue;
		one->consistency = PIDMEM_STOPPED;
		memcpy(one->fallback, freeze->fallback, sizeof one->fallback);
		if (one == frozen)
			snprintf(one->fallback, sizeof one->fallback,
				 "no snapshot: %s; the process was stopped while it was read", reason);
	}
	return 0;
}
