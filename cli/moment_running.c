/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that are read as they run: nothing is held. */
#include "failure.h"
#include "moment.h"
#include "selection.h"
#include "target.h"

#include <stdlib.h>

static size_t count_threads(struct pidmem_process *process)
{
	struct pidmem_threads *threads;
	size_t count;

	if (pidmem_threads_read(process, NULL, &threads) < 0)
		return 0;
	count = pidmem_threads_count(threads);
	pidmem_threads_free(threads);
	return count;
}

static bool is_gone(enum pidmem_code code)
{
	return code == PIDMEM_NO_PROCESS || code == PIDMEM_ZOMBIE || code == PIDMEM_GONE;
}

/* In the room that there is. */
static int open_one(struct moment *moment, struct pidmem_process *process, struct pidmem_error *error)
{
	struct running *one = &moment->running[moment->running_count];
	struct pidmem_source_options how = PIDMEM_INIT(how);
	int result;

	how.select = moment->invocation->select;
	result = pidmem_source_open(process, &how, error, &one->source);
	if (result < 0)
		return result;
	one->process = process;
	one->threads = count_threads(process);
	moment->running_count++;
	return 0;
}

/* A descendant may have ended since it was found. */
static int open_descendant(struct moment *moment, const struct family *family, pid_t pid)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);
	struct pidmem_process *process = NULL;
	struct pidmem_error error;
	int result;

	options.proc = moment->invocation->proc;
	result = pidmem_process_open(pid, &options, &error, &process);
	if (result == 0)
		result = open_one(moment, process, &error);
	if (result == 0) {
		moment->running[moment->running_count - 1].owned = true;
		return 0;
	}
	pidmem_process_close(process);
	if (is_gone(error.code) || error.code == PIDMEM_NO_MATCH) /* -R may fit others of the tree alone */
		return 0;
	return fail_descendant(moment->invocation, pid, family_root(family, pid), &error);
}

static int open_named(struct moment *moment)
{
	struct pidmem_error error;

	for (size_t i = 0; i < moment->named_count; i++) {
		struct pidmem_process *process = moment->named[i];

		if (open_one(moment, process, &error) == 0)
			continue;
		if (error.code == PIDMEM_NO_MATCH) {
			const struct target target = target_of(process);

			return selection_fits_nothing(moment->invocation, &target);
		}
		return fail_process(moment->invocation, pidmem_process_pid(process), &error);
	}
	return 0;
}

int moment_run(struct moment *moment)
{
	AUTO_FAMILY family = { NULL, 0 };
	int failed;

	if (moment->descendants) {
		failed = moment_family(moment, &family);
		if (failed)
			return failed;
	}
	moment->running = calloc(moment->named_count + family.count, sizeof(*moment->running));
	if (!moment->running)
		return fail("out of memory");
	failed = open_named(moment);
	for (size_t i = 0; !failed && i < family.count; i++)
		failed = open_descendant(moment, &family, family.items[i].pid);
	return failed;
}
