/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"
#include "failure.h"
#include "pausing.h"
#include "selection.h"
#include "signals.h"
#include "target.h"
#include "writing.h"

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

/* Files are of moments of their own. */
static int not_alone(const char *text)
{
	fail("\"%s\" is a file, and not the only target", text);
	hint("several targets are processes, which are stopped together; files are read one by one");
	return EXIT_FAILED;
}

int moment_open(const struct invocation *invocation, size_t count, struct moment *moment)
{
	*moment = (struct moment){ .invocation = invocation };
	moment->named = calloc(count, sizeof(struct pidmem_process *));
	if (!moment->named)
		return fail("out of memory");
	for (size_t i = 0; i < count; i++) {
		struct target target = { .path = NULL };
		int failed = target_open(invocation, invocation->operands[i], &target);

		if (failed)
			return failed;
		if (target.file) {
			moment->file = target;
			return count == 1 ? 0 : not_alone(invocation->operands[i]);
		}
		moment->named[i] = target.process;
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
		const struct target target = target_of(process);
		failed = selection_check(moment->invocation, &target, maps);
		if (failed)
			return failed;
	}
	return 0;
}

/* Was it copied at once, though that was to be held back? */
static bool is_unheld(const struct pidmem_freeze_report *report)
{
	return report->engine == PIDMEM_ENGINE_PRECOPY && (writing.rate || writing.nice);
}

/*
 * At once, and not with the report: whoever reads it may want to stop what now takes longer. A snapshot made in the
 * other way, where no way was asked for, is no less: the report is enough.
 */
static void warn_fallback(const struct moment *moment)
{
	for (size_t i = 0; i < moment_count(moment); i++) {
		struct pidmem_freeze_report report = PIDMEM_INIT(report);
		struct pidmem_process *process = moment_process(moment, i);
		char text[FALLBACK_SIZE];

		if (pidmem_freeze_describe(moment->freeze, i, NULL, &report) < 0 || !report.fallback)
			continue;
		if (report.consistency == PIDMEM_SNAPSHOT && !pausing_engine_given() && !is_unheld(&report))
			continue;
		warn("process %d (%s): %s", (int)pidmem_process_pid(process), pidmem_process_name(process),
		     moment_fallback(moment, &report, text, sizeof(text)));
	}
}

int moment_family(const struct moment *moment, struct family *family)
{
	pid_t *pids = calloc(moment->named_count, sizeof(*pids)), self;
	int failed;

	if (!pids)
		return fail("out of memory");
	failed = target_parse(moment->invocation, "self", &self);
	for (size_t i = 0; !failed && i < moment->named_count; i++)
		pids[i] = pidmem_process_pid(moment->named[i]);
	if (!failed)
		failed = family_find(moment->invocation->proc, pids, moment->named_count, self, family);
	free(pids);
	return failed;
}

static bool is_held(const struct moment *moment, pid_t pid)
{
	for (size_t i = 0; i < moment_count(moment); i++)
		if (pidmem_process_pid(moment_process(moment, i)) == pid)
			return true;
	return false;
}

/* Of a tree some may be zombies: no memory, but not without a word. Not while anything waits for this. */
static int find_ended(struct moment *moment)
{
	AUTO_FAMILY family = { NULL, 0 };
	int failed = moment_family(moment, &family);

	for (size_t i = 0; !failed && i < family.count; i++) {
		const struct pidmem_descendant *one = &family.items[i];

		if (!one->ended || is_held(moment, one->pid)) /* it was read, and has ended since */
			continue;
		warn("process %d, a child of %d, has ended and is a zombie: it has no memory, and gets no core",
		     (int)one->pid, (int)one->parent);
		if (!family_add(&moment->ended, one))
			failed = fail("out of memory");
	}
	return failed;
}

/* Is any of them stopped until it is read? */
static bool stands_still(const struct moment *moment)
{
	struct pidmem_freeze_report report = PIDMEM_INIT(report);

	for (size_t i = 0; i < moment_count(moment); i++)
		if (pidmem_freeze_describe(moment->freeze, i, NULL, &report) == 0 &&
		    report.consistency == PIDMEM_STOPPED)
			return true;
	return false;
}

static void keep_running(struct moment *moment, bool keep)
{
	if (keep != moment->kept_running)
		signals_keep_running(keep);
	moment->kept_running = keep;
}

int moment_progress(void *user, const struct pidmem_progress *now)
{
	if (signals_came())
		return 1;
	progress_update(user, now->done, now->expected);
	return 0;
}

static int hold_progress(void *user, const struct pidmem_progress *now)
{
	return writing_is_late() || moment_progress(user, now);
}

static int hold_frozen(struct moment *moment, struct pidmem_freeze_options *how)
{
	struct pidmem_error error;
	int result;

	how->fall_back = !moment->invocation->consistency_given;
	how->select = moment->invocation->select;
	how->progress = hold_progress;
	moment->max_pause_us = how->max_pause_us;
	how->user = &moment->progress;
	keep_running(moment, true);
	if (signals_came())
		return fail_interrupted();
	progress_begin(&moment->progress, moment->invocation);
	result = pidmem_freeze_open(moment->named, moment->named_count, how, &error, &moment->freeze);
	progress_end(&moment->progress, 0);
	if (signals_came())
		return fail_interrupted();
	if (result < 0 && error.code == PIDMEM_CANCELLED)
		return fail_late();
	if (result < 0)
		return moment_fail_hold(moment, how, &error);
	keep_running(moment, stands_still(moment));
	warn_fallback(moment);
	return 0;
}

/* A file does not change, and nothing of it can be stopped. */
static int hold_file(const struct moment *moment)
{
	if (moment->invocation->consistency_given)
		return target_refuse(&moment->file, "--consistency", "a file is of the moment at which it was written");
	return moment->invocation->select
		       ? selection_check(moment->invocation, &moment->file, pidmem_source_maps(moment->file.file))
		       : 0;
}

const struct target *moment_file(const struct moment *moment)
{
	return moment->file.file ? &moment->file : NULL;
}

struct target moment_target(const struct moment *moment, size_t index)
{
	struct target target = moment->file;

	if (!moment->file.file)
		return target_of(moment_process(moment, index));
	target.borrowed = true;
	return target;
}

int moment_hold(struct moment *moment, enum pidmem_consistency standard, struct pidmem_freeze_options *how)
{
	const struct invocation *invocation = moment->invocation;
	int failed = moment->file.file ? hold_file(moment) : check_selection(moment);

	moment->begun_us = moment_clock();
	if (failed || moment->file.file)
		return failed;
	moment->descendants = how->descendants;
	how->consistency = invocation->consistency_given ? invocation->consistency : standard;
	return how->consistency == PIDMEM_LIVE ? moment_run(moment) : hold_frozen(moment, how);
}

size_t moment_count(const struct moment *moment)
{
	if (moment->file.file)
		return 1;
	return moment->freeze ? pidmem_freeze_count(moment->freeze) : moment->running_count;
}

struct pidmem_process *moment_process(const struct moment *moment, size_t index)
{
	return moment->freeze ? pidmem_freeze_process(moment->freeze, index) : moment->running[index].process;
}

struct pidmem_source *moment_source(const struct moment *moment, size_t index)
{
	if (moment->file.file)
		return moment->file.file;
	return moment->freeze ? pidmem_freeze_source(moment->freeze, index) : moment->running[index].source;
}

int moment_release(struct moment *moment)
{
	struct pidmem_error error;
	int result = moment->freeze ? pidmem_freeze_release(moment->freeze, &error) : 0;

	keep_running(moment, false);
	if (result < 0)
		return fail_with(&error);
	return moment->descendants && !moment->ended.count ? find_ended(moment) : 0;
}

void moment_close(struct moment *moment)
{
	pidmem_freeze_close(moment->freeze);
	keep_running(moment, false);
	for (size_t i = 0; i < moment->running_count; i++) {
		pidmem_source_close(moment->running[i].source);
		if (moment->running[i].owned)
			pidmem_process_close(moment->running[i].process);
	}
	for (size_t i = 0; i < moment->named_count; i++)
		pidmem_process_close(moment->named[i]);
	target_close(&moment->file);
	family_free(&moment->ended);
	free(moment->running);
	free(moment->named);
}
