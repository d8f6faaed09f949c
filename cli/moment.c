/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"
#include "failure.h"
#include "selection.h"
#include "signals.h"
#include "target.h"

#include <stdlib.h>
#include <time.h>

uint64_t moment_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The same process twice would be stopped twice. */
static int check_twice(const struct moment *moment, const char *text)
{
	pid_t pid = pidmem_process_pid(moment->named[moment->named_count - 1]);

	for (size_t i = 0; i + 1 < moment->named_count; i++) {
		if (pidmem_process_pid(moment->named[i]) != pid)
			continue;
		fail("process %d (%s) is named twice", (int)pid, pidmem_process_name(moment->named[i]));
		hint("leave out the second \"%s\"", text);
		return EXIT_FAILED;
	}
	return 0;
}

int moment_open(const struct invocation *invocation, size_t count, struct moment *moment)
{
	*moment = (struct moment){ .invocation = invocation };
	moment->named = calloc(count, sizeof(struct pidmem_process *));
	moment->live = calloc(count, sizeof(*moment->live));
	if (!moment->named || !moment->live)
		return fail("out of memory");
	for (size_t i = 0; i < count; i++) {
		int failed = target_open(invocation, invocation->operands[i], &moment->named[i]);

		if (failed)
			return failed;
		moment->named_count++;
		failed = check_twice(moment, invocation->operands[i]);
		if (failed)
			return failed;
	}
	return 0;
}

/* Before anything is stopped: a slip of the pen is known by the regions. */
static int check_selection(const struct moment *moment)
{
	for (size_t i = 0; moment->invocation->select && i < moment->named_count; i++) {
		struct pidmem_process *process = moment->named[i];
		AUTO(maps) maps = NULL;
		struct pidmem_error error;
		int failed;

		if (pidmem_maps_read(process, 0, &error, &maps) < 0)
			return fail_process(moment->invocation, pidmem_process_pid(process), &error);
		failed = selection_check(moment->invocation, process, maps);
		if (failed)
			return failed;
	}
	return 0;
}

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

static int hold_live(struct moment *moment)
{
	struct pidmem_source_options how = PIDMEM_INIT(how);
	struct pidmem_error error;

	how.select = moment->invocation->select;
	for (size_t i = 0; i < moment->named_count; i++) {
		struct pidmem_process *process = moment->named[i];

		moment->live[i].threads = count_threads(process);
		if (pidmem_source_open(process, &how, &error, &moment->live[i].source) == 0)
			continue;
		if (error.code == PIDMEM_NO_MATCH)
			return selection_fits_nothing(moment->invocation, process);
		return fail_process(moment->invocation, pidmem_process_pid(process), &error);
	}
	return 0;
}

/* Of several processes, the one that an error is about: the first that cannot be read, if there is one. */
static struct pidmem_process *find_culprit(const struct moment *moment)
{
	struct pidmem_open_options options = PIDMEM_INIT(options);

	options.proc = moment->invocation->proc;
	for (size_t i = 0; i < moment->named_count; i++) {
		struct pidmem_access access = PIDMEM_INIT(access);
		pid_t pid = pidmem_process_pid(moment->named[i]);

		if (pidmem_access_check(pid, &options, NULL, &access) == 0 && !access.readable)
			return moment->named[i];
	}
	return moment->named[0];
}

static int fail_hold(const struct moment *moment, const struct pidmem_error *error)
{
	struct pidmem_process *culprit = find_culprit(moment);

	if (error->code == PIDMEM_NO_MATCH)
		return selection_fits_nothing(moment->invocation, culprit);
	return fail_process(moment->invocation, pidmem_process_pid(culprit), error);
}

/* At once, and not with the report: whoever reads it may want to stop what now takes longer. */
static void warn_fallback(const struct moment *moment)
{
	for (size_t i = 0; i < moment_count(moment); i++) {
		struct pidmem_freeze_report report = PIDMEM_INIT(report);
		struct pidmem_process *process = moment_process(moment, i);

		if (pidmem_freeze_describe(moment->freeze, i, NULL, &report) < 0 || !report.fallback)
			continue;
		warn("process %d (%s): %s", (int)pidmem_process_pid(process), pidmem_process_name(process),
		     report.fallback);
	}
}

static int hold_frozen(struct moment *moment, struct pidmem_freeze_options *how)
{
	uint64_t begun = moment_clock();
	struct pidmem_error error;
	int result;

	how->fall_back = !moment->invocation->consistency_given;
	how->select = moment->invocation->select;
	signals_end_at_once(true);
	if (signals_came())
		return fail_interrupted();
	result = pidmem_freeze_open(moment->named, moment->named_count, how, &error, &moment->freeze);
	signals_end_at_once(false);
	if (result < 0)
		return fail_hold(moment, &error);
	moment->elapsed_us = moment_clock() - begun;
	warn_fallback(moment);
	return 0;
}

int moment_hold(struct moment *moment, enum pidmem_consistency standard, struct pidmem_freeze_options *how)
{
	const struct invocation *invocation = moment->invocation;
	int failed = check_selection(moment);

	if (failed)
		return failed;
	how->consistency = invocation->consistency_given ? invocation->consistency : standard;
	return how->consistency == PIDMEM_LIVE ? hold_live(moment) : hold_frozen(moment, how);
}

size_t moment_count(const struct moment *moment)
{
	return moment->freeze ? pidmem_freeze_count(moment->freeze) : moment->named_count;
}

struct pidmem_process *moment_process(const struct moment *moment, size_t index)
{
	return moment->freeze ? pidmem_freeze_process(moment->freeze, index) : moment->named[index];
}

struct pidmem_source *moment_source(const struct moment *moment, size_t index)
{
	return moment->freeze ? pidmem_freeze_source(moment->freeze, index) : moment->live[index].source;
}

int moment_release(struct moment *moment)
{
	struct pidmem_error error;

	if (moment->freeze && pidmem_freeze_release(moment->freeze, &error) < 0)
		return fail_with(&error);
	return 0;
}

void moment_close(struct moment *moment)
{
	pidmem_freeze_close(moment->freeze);
	for (size_t i = 0; i < moment->named_count; i++) {
		pidmem_source_close(moment->live[i].source);
		pidmem_process_close(moment->named[i]);
	}
	free(moment->live);
	free(moment->named);
}
