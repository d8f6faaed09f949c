/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The object that holds one moment of some processes, and the order in which that is done. */
#include "source/freeze.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "process/process.h"
#include "source/walk.h"

static void frozen_free(struct frozen *frozen)
{
	if (!frozen)
		return;
	pidmem_walk_close(frozen->saver);
	source_free(frozen->source);
	source_free(frozen->live);
	pidmem_process_close(frozen->copy_process);
	if (frozen->owned)
		pidmem_process_close(frozen->process);
	kept_done(&frozen->kept);
	stopped_threads_free(frozen->threads);
	free(frozen->candidates);
	free(frozen);
}

int freeze_add(struct pidmem_freeze *freeze, struct pidmem_process *process, bool owned, struct pidmem_error *error)
{
	struct frozen **items = array_grow(freeze->items, freeze->count, &freeze->capacity, sizeof(struct frozen *));

	if (!items)
		return fail_memory(error);
	freeze->items = items;
	struct frozen *frozen = calloc(1, sizeof *frozen);
	if (!frozen)
		return fail_memory(error);
	frozen->freeze = freeze;
	frozen->process = process;
	frozen->owned = owned;
	frozen->consistency = freeze->options.consistency;
	memcpy(frozen->fallback, freeze->fallback, sizeof frozen->fallback);
	items[freeze->count++] = frozen;
	return 0;
}

void freeze_remove(struct pidmem_freeze *freeze, size_t index)
{
	frozen_free(freeze->items[index]);
	freeze->count--;
	memmove(&freeze->items[index], &freeze->items[index + 1], (freeze->count - index) * sizeof(struct frozen *));
}

void pidmem_freeze_close(struct pidmem_freeze *freeze)
{
	if (!freeze)
		return;
	guard_end(freeze->guard); /* first of all: it lets the processes go */
	for (size_t i = 0; i < freeze->count; i++)
		frozen_free(freeze->items[i]);
	free(freeze->items);
	free(freeze);
}
DEFINE_CLEANUP(cleanup_freeze, struct pidmem_freeze *, pidmem_freeze_close)
#define AUTO_FREEZE CLEANUP(cleanup_freeze) struct pidmem_freeze *

/* Signals that would stop or end this program have to wait, so that nobody can lengthen the pause from outside. */
static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

static void restore_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

void frozen_add_stop(struct frozen *frozen, uint64_t stop_us)
{
	if (frozen->stop_count < STOPS)
		frozen->stops_us[frozen->stop_count++] = stop_us;
	else if (stop_us > frozen->stops_us[STOPS - 1])
		frozen->stops_us[STOPS - 1] = stop_us;
}

static int resume(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	uint64_t pause_us;
	int result = guard_resume(freeze->guard, error, &pause_us);

	freeze->held = false;
	for (size_t i = 0; i < freeze->count && result >= 0; i++)
		if (freeze->items[i]->stopped && pause_us)
			frozen_add_stop(freeze->items[i], pause_us);
	return result;
}

/* End the copies. */
static int reap(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	AUTO_FREE uint64_t *stops_us = calloc(freeze->guarded + 1, sizeof *stops_us);

	if (!stops_us)
		return fail_memory(error);
	int result = guard_reap(freeze->guard, error, stops_us);
	for (size_t i = 0; i < freeze->count && result >= 0; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->stopped && frozen->copy && stops_us[frozen->index])
			frozen_add_stop(frozen, stops_us[frozen->index]);
		frozen->copy = 0;
	}
	return result;
}

int freeze_start_again(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	/* As far as they go: guard_end() does all of it once more. */
	if ((!freeze->held || resume(freeze, NULL) >= 0) && freeze->guarded)
		reap(freeze, NULL);
	guard_end(take(freeze->guard));
	freeze->guarded = 0;
	for (size_t i = 0; i < freeze->count; i++) {
		freeze->items[i]->stopped = false;
		freeze->items[i]->copy = 0;
		if (!freeze->items[i]->source)
			pidmem_process_close(take(freeze->items[i]->copy_process));
	}
	return guard_start(error, &freeze->guard);
}

/* All of them are stopped. On failure *failed is the one that could not be copied. */
static int copy_all(struct pidmem_freeze *freeze, struct pidmem_error *error, struct frozen **failed)
{
	int result = 0;

	for (size_t i = 0; i < freeze->count && result >= 0; i++) {
		*failed = freeze->items[i];
		if ((*failed)->consistency != PIDMEM_SNAPSHOT)
			continue;
		result = guard_copy(freeze->guard, (*failed)->index, error, &(*failed)->copy);
		if (result >= 0 && (result = pause_save(*failed, error)) < 0)
			return result;
	}
	return result;
}

static int check_room(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	uint64_t promised = 0;
	char reason[256];

	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->items[i]->consistency == PIDMEM_SNAPSHOT &&
		    !may_be_copied(freeze->items[i], &promised, reason, sizeof reason))
			return fall_back_from_snapshot(freeze, freeze->items[i], reason, error);
	return 0;
}

static bool wants_copies(const struct pidmem_freeze *freeze)
{
	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->items[i]->consistency == PIDMEM_SNAPSHOT)
			return true;
	return false;
}

/* No copy of one: step down with all, or fail with it. */
static int no_copy(struct pidmem_freeze *freeze, struct frozen *failed, int result, const struct pidmem_error *cause,
		   struct pidmem_error *error)
{
	char reason[256];
	bool ended = cause->code == PIDMEM_GONE && pidmem_process_check(failed->process, NULL) == 0;

	if (cause->code == PIDMEM_UNSUPPORTED || ended) { /* the copy, not the process */
		explain_no_copy(failed, result, cause, reason, sizeof reason);
		return fall_back_from_snapshot(freeze, failed, reason, error);
	}
	if (error)
		*error = *cause;
	return result;
}

/* Copies, and the processes run on. 0 also where it was stepped down to stopping: then they are stopped. */
static int copy_and_resume(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	struct pidmem_error cause = { 0 };
	struct frozen *failed = NULL;
	int result = copy_all(freeze, &cause, &failed);

	if (result < 0) {
		result = no_copy(freeze, failed, result, &cause, error);
		return result < 0 ? result : reap(freeze, error);
	}
	return resume(freeze, error);
}

/* Stop, copy, resume, with nothing in between that could take long. */
static int take_moment(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	sigset_t before;

	block_signals(&before);
	int result = freeze_stop(freeze, error);
	if (result >= 0 && wants_copies(freeze))
		result = copy_and_resume(freeze, error);
	restore_signals(&before);
	return result;
}

/* What is stopped is listed now. */
static int list_stopped(struct frozen *frozen, struct pidmem_error *error)
{
	frozen->live->consistency = frozen->consistency;
	return frozen->consistency == PIDMEM_STOPPED ? pidmem_source_refresh(frozen->live, error) : 0;
}

/* Open the sources. 1 where copies were lost meanwhile and all has to be stopped instead. */
static int open_sources(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *frozen = freeze->items[i];
		struct pidmem_error cause;
		bool copied = frozen->consistency == PIDMEM_SNAPSHOT;
		int result = copied ? pause_finish(frozen, &cause) : list_stopped(frozen, &cause);
		if (result >= 0)
			continue;
		if (!copied || cause.code != PIDMEM_GONE) {
			if (error)
				*error = cause;
			return result;
		}
		result = fall_back_from_snapshot(freeze, frozen, "its copy was ended at once: out of memory?", error);
		return result < 0 ? result : 1;
	}
	return 0;
}

static int check_selection(const struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = 0;

	for (size_t i = 0; i < freeze->count && freeze->options.select; i++)
		if ((result = pidmem_select_check(freeze->options.select, frozen_source(freeze->items[i])->maps,
						  error)) == 0)
			return 0;
	return result;
}

static int hold(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = guard_start(error, &freeze->guard);

	if (result < 0 || (result = freeze_prepare(freeze, error)) < 0 || (result = check_room(freeze, error)) < 0 ||
	    (result = take_moment(freeze, error)) < 0)
		return result;
	result = open_sources(freeze, error);
	if (result == 1) {
		result = freeze_start_again(freeze, error);
		if (result >= 0 && (result = take_moment(freeze, error)) >= 0)
			result = open_sources(freeze, error);
	}
	return result < 0 ? result : check_selection(freeze, error);
}

int pidmem_freeze_open(struct pidmem_process *const *processes, size_t count, const struct pidmem_freeze_options *given,
		       struct pidmem_error *error, struct pidmem_freeze **out)
{
	AUTO_FREEZE freeze = calloc(1, sizeof *freeze);

	if (!freeze)
		return fail_memory(error);
	int result = options_take(&freeze->options, sizeof freeze->options, given, error);
	if (result < 0)
		return result;
	if (count == 0)
		return fail(error, PIDMEM_USAGE, EINVAL, "no process is named that could be frozen");
	if (freeze->options.consistency == PIDMEM_LIVE)
		freeze->options.consistency = PIDMEM_SNAPSHOT;
	for (freeze->given = 0; freeze->given < count; freeze->given++)
		if ((result = freeze_add(freeze, processes[freeze->given], false, error)) < 0)
			return result;
	result = hold(freeze, error);
	if (result < 0)
		return result;
	*out = take(freeze);
	return 0;
}

/* Sources do not read any more, and what the guard knows is taken over from it. */
static int take_leave(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	const struct stopped_threads *threads;
	int result = 0;

	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *frozen = freeze->items[i];
		frozen->live->released = true;
		if (frozen->source)
			frozen->source->released = true;
		if (result >= 0)
			result = frozen_threads(frozen, error, &threads);
	}
	return result < 0 ? result : 0;
}

int pidmem_freeze_release(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	if (freeze->released)
		return 0;
	freeze->released = true;
	int result = take_leave(freeze, error);
	if (freeze->held) {
		int resumed = resume(freeze, result < 0 ? NULL : error);
		result = result < 0 ? result : resumed;
	}
	if (freeze->guarded && wants_copies(freeze)) {
		int reaped = reap(freeze, result < 0 ? NULL : error);
		result = result < 0 ? result : reaped;
	}
	guard_end(take(freeze->guard));
	return result < 0 ? result : 0;
}
