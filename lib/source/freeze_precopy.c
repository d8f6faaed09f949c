/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pre-copy before the moment: a first, very short stop to begin tracking, and then copying while the processes run,
 * until what is left is little. Where another engine is better or this one impossible, that is told.
 */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "process/background.h"
#include "process/maps.h"
#include "process/process.h"
#include "source/precopy.h"

/* For more that is written to than before, and for what appears, in all of them. */
#define ROOM (4ULL << 20)

static void say_no_precopy(char *text, size_t size, const char *reason)
{
	snprintf(text, size, "not copied while it ran: %s; a copy by clone was made", reason);
}

int freeze_no_precopy(struct frozen *frozen, const char *reason)
{
	precopy_close(take(frozen->precopy));
	say_no_precopy(frozen->fallback, sizeof frozen->fallback, reason);
	return 0;
}

/* What failed for one process alone ends pre-copy for it; everything else ends all. */
static int settle(struct frozen *frozen, int result, const struct pidmem_error *cause, struct pidmem_error *error)
{
	if (result >= 0)
		return 0;
	if (cause->code == PIDMEM_UNSUPPORTED)
		return freeze_no_precopy(frozen, cause->text);
	/* The store becomes the core file; of a dump, or where a clone was wanted, it may be a second copy. */
	const struct pidmem_freeze_options *options = &frozen->freeze->options;
	bool full = cause->sys == ENOSPC || cause->sys == EDQUOT;
	if (cause->sys == EFBIG || (full && (!options->core || options->engine == PIDMEM_ENGINE_CLONE)))
		return freeze_no_precopy(frozen, "there is no room for it beside the output");
	if (frozen->owned && (cause->code == PIDMEM_GONE || cause->code == PIDMEM_EXECED)) {
		precopy_close(take(frozen->precopy)); /* a descendant: it is missed, or found again, in the stop */
		return 0;
	}
	if (error)
		*error = *cause;
	return result;
}

static void say_no_clone(struct frozen *frozen)
{
	snprintf(frozen->fallback, sizeof frozen->fallback, "no copy by clone: %s; it was copied while it ran",
		 frozen->no_copy);
}

/* List one anew: what was listed in a first attempt shows that it was tracked. */
static int list_anew(struct frozen *frozen, struct pidmem_error *error)
{
	struct pidmem_error cause;

	return frozen->freeze->anew ? settle(frozen, pause_prepare(frozen, &cause), &cause, error) : 0;
}

/* All, or where a clone is wanted those that none can be made of. */
static int open_all(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	bool by_clone = freeze->options.engine == PIDMEM_ENGINE_CLONE;
	int result = 0;

	for (size_t i = 0; i < freeze->count && result >= 0; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->consistency != PIDMEM_SNAPSHOT || (by_clone && !frozen->no_copy[0]))
			continue;
		if ((result = list_anew(frozen, error)) < 0)
			break;
		const char *reason = frozen->surprises > 1 ? "twice, more than 64 MiB were left to copy in the stop"
							   : precopy_unfit(frozen);
		frozen->tried_precopy = true;
		if (!reason && precopy_would_hinder(frozen)) {
			reason = "it uses userfaultfd itself, which would fail meanwhile";
			frozen->tried_precopy = false; /* still better than no copy */
		}
		if (reason)
			result = freeze_no_precopy(frozen, reason);
		else if ((result = precopy_open(frozen, error, &frozen->precopy)) >= 0 && by_clone)
			say_no_clone(frozen);
	}
	return result;
}

bool freeze_try_precopy(struct pidmem_freeze *freeze, const struct frozen *failed, const char *reason)
{
	if (!freeze->options.directory || failed->tried_precopy || freeze->again)
		return false;
	freeze->again = true;
	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->consistency != PIDMEM_SNAPSHOT || frozen->tried_precopy)
			continue;
		if (frozen == failed)
			snprintf(frozen->no_copy, sizeof frozen->no_copy, "%s", reason);
		else if (!frozen->no_copy[0])
			snprintf(frozen->no_copy, sizeof frozen->no_copy, "none of process %d could be made",
				 failed->process->pid);
		say_no_clone(frozen);
	}
	return true;
}

/* Those that are copied this way. */
static struct frozen *next(const struct pidmem_freeze *freeze, size_t *i)
{
	while (*i < freeze->count) {
		struct frozen *frozen = freeze->items[(*i)++];
		if (frozen->precopy)
			return frozen;
	}
	return NULL;
}

/* So much the first pass is going to copy. */
static uint64_t estimate(const struct pidmem_freeze *freeze)
{
	const struct frozen *frozen;
	uint64_t bytes = 0;

	for (size_t i = 0; (frozen = next(freeze, &i));)
		for (size_t j = 0; j < frozen->live->maps->count; j++) {
			const struct pidmem_region *region = &frozen->live->maps->regions[j];
			if (precopy_wants_some(frozen->precopy, region))
				bytes += precopy_bytes_in(region);
		}
	return bytes;
}

/* Stop all, take hold of their address spaces, and let them run on. */
static int track_all(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	sigset_t before;

	freeze_block_signals(&before);
	int result = freeze_stop(freeze, error);
	struct pidmem_error cause;
	struct frozen *frozen;

	for (size_t i = 0; result >= 0 && (frozen = next(freeze, &i));) {
		if (!frozen->stopped) /* it can only be read live */
			precopy_close(take(frozen->precopy));
		else
			result =
				settle(frozen,
				       guard_track(freeze->guard, frozen->index, &cause, &frozen->precopy->userfaultfd),
				       &cause, error);
	}
	if (result >= 0)
		result = freeze_start_again(freeze, error);
	freeze_restore_signals(&before);
	for (size_t i = 0; result >= 0 && (frozen = next(freeze, &i));)
		result = settle(frozen, precopy_begin(frozen->precopy, &cause), &cause, error);
	return result;
}

static bool is_over(const struct pidmem_freeze *freeze, bool slow)
{
	const struct frozen *frozen;

	for (size_t i = 0; (frozen = next(freeze, &i));)
		if (!precopy_is_ready(frozen->precopy) && !(slow && (frozen->precopy->quick || frozen->precopy->cut)))
			return false;
	return true;
}

/* What appears while they are copied, and does not show in the page tables. */
static void give_up_unfit(struct pidmem_freeze *freeze)
{
	struct frozen *frozen;

	for (size_t i = 0; (frozen = next(freeze, &i));) {
		const char *reason = precopy_who_else_writes(frozen);
		if (reason)
			freeze_no_precopy(frozen, reason);
	}
}

/* Pass after pass, until another one would not help; or, with `slow`, until they have become quick. */
static int repeat(struct pidmem_freeze *freeze, bool slow, struct pidmem_error *error)
{
	struct pidmem_error cause;
	struct frozen *frozen;
	int result = 0;

	while (result >= 0 && !is_over(freeze, slow)) {
		for (size_t i = 0; result >= 0 && (frozen = next(freeze, &i));)
			result = settle(frozen, precopy_pass(frozen->precopy, &cause), &cause, error);
		if (result >= 0 && slow)
			give_up_unfit(freeze);
		if (result >= 0 && watch_ask(&freeze->watch))
			result = file_cancelled(error);
	}
	return result;
}

struct passes {
	struct pidmem_freeze *freeze;
	struct pidmem_error *error;
	int result;
};

/* The first pass takes longest: whatever else has to be known is found out after it. */
static void make_slow_passes(void *pointer)
{
	struct passes *passes = pointer;
	struct pidmem_freeze *freeze = passes->freeze;
	struct pidmem_error *error = passes->error, cause;
	struct frozen *frozen;
	int result = 0;

	for (size_t i = 0; result >= 0 && (frozen = next(freeze, &i));)
		if ((result = precopy_pass(frozen->precopy, &cause)) < 0 ||
		    (result = pause_prepare(frozen, &cause)) < 0)
			result = settle(frozen, result, &cause, error);
	for (size_t i = 0; result >= 0 && (frozen = next(freeze, &i));)
		precopy_open_files(frozen->precopy);
	passes->result = result < 0 ? result : repeat(freeze, true, error);
}

/* So little is copied in 20 ms: nobody should have to wait for seconds, until it is noticed that there is no processor.
 */
#define LITTLE (32ULL << 20)

void freeze_do(const struct pidmem_freeze *freeze, void (*job)(void *), void *argument)
{
	if (freeze->makes_way)
		background_do(job, argument);
	else
		job(argument);
}

/* Who got no processor for a pass would get none for what follows either. Where that is much, it is worth the wait. */
static void hurry(struct pidmem_freeze *freeze)
{
	struct frozen *frozen;

	for (size_t i = 0; (frozen = next(freeze, &i));) {
		freeze->makes_way &= !freeze->little || !frozen->precopy->cut;
		precopy_hurry(frozen->precopy);
	}
}

/* What takes long is left to times when the processes do not want the processors; what the stop waits for is not. */
static int copy_while_running(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	struct passes passes = { freeze, error, 0 };
	struct frozen *frozen;

	freeze->little = freeze->watch.state.expected <= LITTLE;
	freeze->makes_way = true;
	freeze_do(freeze, make_slow_passes, &passes);
	hurry(freeze);
	int result = passes.result < 0 ? passes.result : repeat(freeze, false, error);
	if (result >= 0)
		give_up_unfit(freeze);
	freeze_bound_late(freeze);
	for (size_t i = 0; result >= 0 && (frozen = next(freeze, &i));) {
		struct precopy *precopy = frozen->precopy;
		if (page_pool_borrow(&precopy->late, &precopy->recent, precopy->copied + ROOM / freeze->count) < 0 ||
		    precopy_list_prepare(precopy) < 0)
			result = fail_memory(error);
	}
	return result < 0 ? result : 0;
}

/* What is written while the process runs has its place before it is known whether it will stay. */
static void no_file(struct pidmem_freeze *freeze)
{
	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->items[i]->consistency == PIDMEM_SNAPSHOT)
			freeze_no_precopy(freeze->items[i], "a stream cannot be written that way");
}

/* What a copy will not hold was not chosen for those that were to be copied while they run. */
static int prepare_copy(struct frozen *frozen, struct pidmem_error *error)
{
	bool is_copy = frozen->consistency == PIDMEM_SNAPSHOT && !frozen->precopy;

	return is_copy ? pause_prepare(frozen, error) : 0;
}

int freeze_precopy(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	const struct pidmem_freeze_options *options = &freeze->options;
	int result = 0;

	if (options->consistency != PIDMEM_SNAPSHOT)
		return 0;
	if (options->engine == PIDMEM_ENGINE_PRECOPY && !options->directory)
		no_file(freeze);
	if (!options->directory)
		return freeze_choose_engines(freeze, error);
	result = open_all(freeze, error);
	freeze_bound_late(freeze); /* what is known to be foreign already */
	freeze->watch.state.done = freeze->watch.reported = 0;
	freeze->watch.state.expected = estimate(freeze);
	if (result >= 0 && next(freeze, &(size_t){ 0 }) && (result = track_all(freeze, error)) >= 0)
		result = copy_while_running(freeze, error);
	if (options->engine != PIDMEM_ENGINE_CLONE &&
	    next(freeze, &(size_t){ 0 })) /* for descendants that come later */
		say_no_precopy(freeze->fallback, sizeof freeze->fallback, "it was found in the stop");
	result = result < 0 ? result : freeze_choose_engines(freeze, error);
	return result < 0 ? result : freeze_each(freeze, prepare_copy, error);
}
