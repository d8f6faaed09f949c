/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why some processes could not be held, or read to the end: which of them, and what can be had instead. */
#include "failure.h"
#include "moment.h"
#include "selection.h"
#include "signals.h"
#include "target.h"

#include <errno.h>
#include <unistd.h>

static bool is_readable(const struct moment *moment, pid_t pid)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_access access = PIDMEM_INIT(access);

	options.proc = moment->invocation->proc;
	return pidmem_access_check(pid, &options, NULL, &access) < 0 || access.readable;
}

/* Of several processes, the one that an error is about: the first that cannot be read. 0 if there is none. */
static int fail_unreadable(const struct moment *moment, const struct pidmem_error *error)
{
	AUTO_FAMILY family = { NULL, 0 };

	for (size_t i = 0; i < moment->named_count; i++) {
		pid_t pid = pidmem_process_pid(moment->named[i]);

		if (!is_readable(moment, pid))
			return fail_process(moment->invocation, pid, error);
	}
	if (moment->descendants && moment_family(moment, &family))
		return EXIT_FAILED;
	for (size_t i = 0; i < family.count; i++) {
		pid_t pid = family.items[i].pid;

		if (!family.items[i].ended && !is_readable(moment, pid))
			return fail_descendant(moment->invocation, pid, family_root(&family, pid), error);
	}
	return 0;
}

/* With --proc: its number means something else here, or nothing. The library takes hold of others by their number. */
static bool is_elsewhere(const struct moment *moment, const struct pidmem_process *process)
{
	return moment->invocation->proc && pidmem_process_pidfd(process) < 0;
}

/* What the library says of it knows no options. */
static const char *find_way_out(const struct moment *moment, const struct pidmem_freeze_options *how,
				const struct pidmem_error *error)
{
	bool stoppable = error->code != PIDMEM_ACCESS;

	for (size_t i = 0; i < moment->named_count; i++) {
		if (is_elsewhere(moment, moment->named[i]))
			return "run pidmem in the PID namespace of the process, with nsenter(1) for example, or read "
			       "it as it runs: --consistency=live";
		stoppable &= pidmem_process_pid(moment->named[i]) != getpid();
	}
	if (!stoppable)
		return "read it as it runs: --consistency=live";
	if (how->consistency == PIDMEM_SNAPSHOT && how->engine != PIDMEM_ENGINE_PRECOPY && !how->max_pause_us)
		return "keep it stopped until it is read: --consistency=stopped";
	return error->hint;
}

int moment_fail_hold(const struct moment *moment, const struct pidmem_freeze_options *how,
		     const struct pidmem_error *error)
{
	int failed = 0;

	if (error->code == PIDMEM_NO_MATCH) {
		const struct target target = target_of(moment->named[0]);

		return selection_fits_nothing(moment->invocation, &target);
	}
	if (error->code != PIDMEM_ACCESS && error->code != PIDMEM_UNSUPPORTED)
		return fail_with(error);
	if (error->code == PIDMEM_ACCESS && error->sys != EBUSY) /* of a traced one the memory can be read */
		failed = fail_unreadable(moment, error);
	return failed ? failed : fail_with_hint(error, find_way_out(moment, how, error));
}

int moment_fail_read(const struct moment *moment, size_t index, const struct pidmem_error *error)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);
	struct pidmem_process *process;

	if (signals_came() && (error->code == PIDMEM_CANCELLED || error->sys == EINTR))
		return fail_interrupted();
	if (moment->file.file)
		return fail_with(error);
	process = moment_process(moment, index);
	/* It was the copy that ended. */
	if (error->code == PIDMEM_GONE && moment->freeze &&
	    pidmem_freeze_describe(moment->freeze, index, NULL, &report) == 0 &&
	    report.consistency == PIDMEM_SNAPSHOT && pidmem_process_check(process, NULL) == 0)
		return fail_with_hint(error, "the process itself runs on; --consistency=stopped takes no memory");
	return fail_process(moment->invocation, pidmem_process_pid(process), error);
}
