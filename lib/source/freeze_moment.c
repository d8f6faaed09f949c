/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The moment itself: stop, copy, resume, with nothing in between that could take long. */
#include <signal.h>

#include "base/error.h"
#include "process/process.h"
#include "source/precopy.h"

bool freeze_wants_copies(const struct pidmem_freeze *freeze)
{
	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->items[i]->consistency == PIDMEM_SNAPSHOT)
			return true;
	return false;
}

/* All of them are stopped. On failure *failed is the one that could not be copied. 1 if copying one would take too
 * long. */
static int copy_all(struct pidmem_freeze *freeze, struct pidmem_error *error, struct frozen **failed)
{
	int result = 0;

	for (size_t i = 0; i < freeze->count && result == 0; i++) {
		*failed = freeze->items[i];
		if ((*failed)->consistency != PIDMEM_SNAPSHOT)
			continue;
		if ((*failed)->precopy)
			result = precopy_pause((*failed)->precopy, error);
		else if ((*failed)->no_copy[0]) /* a descendant that was found late */
			result = fail(error, PIDMEM_UNSUPPORTED, EOPNOTSUPP, "%s", (*failed)->no_copy);
		else if ((result = guard_copy(freeze->guard, (*failed)->index, error, &(*failed)->copy)) >= 0)
			result = pause_save(*failed, error);
	}
	return result;
}

/* No copy of one: 1 to copy it while it runs; else step down with all, or fail with it. */
static int no_copy(struct pidmem_freeze *freeze, struct frozen *failed, int result, const struct pidmem_error *cause,
		   struct pidmem_error *error)
{
	char reason[256];
	bool ended = cause->code == PIDMEM_GONE && pidmem_process_check(failed->process, NULL) == 0;

	if (cause->code == PIDMEM_UNSUPPORTED || ended) { /* the copy, not the process */
		explain_no_copy(failed, result, cause, reason, sizeof reason);
		return freeze_try_precopy(freeze, failed, reason)
			       ? 1
			       : fall_back_from_snapshot(freeze, failed, reason, error);
	}
	if (error)
		*error = *cause;
	return result;
}

/* Too much is left of one: all is done again, and what engines the others have is open again. */
static void give_up(struct pidmem_freeze *freeze, struct frozen *surprising)
{
	surprising->surprises++;
	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->consistency == PIDMEM_SNAPSHOT && !frozen->precopy && !frozen->no_copy[0])
			frozen->fallback[0] = 0;
	}
}

/* Copies, and the processes run on. 0 also where it was stepped down to stopping: then they are stopped. 1 as
 * freeze_take_moment(). */
static int copy_and_resume(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	struct pidmem_error cause = { 0 };
	struct frozen *failed = NULL;
	int result = copy_all(freeze, &cause, &failed);

	if (result == 1)
		give_up(freeze, failed);
	if (result < 0) {
		result = no_copy(freeze, failed, result, &cause, error);
		return result != 0 ? result : freeze_reap(freeze, error);
	}
	return result == 1 ? 1 : freeze_resume(freeze, error);
}

void freeze_block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

void freeze_restore_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* All run on. */
static int start_again(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = freeze_start_anew(freeze, error);

	return result < 0 ? result : 1;
}

static int stop_and_copy(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	sigset_t before;

	freeze_block_signals(&before);
	int result = freeze_stop(freeze, error);
	if (result >= 0 && freeze_wants_copies(freeze))
		result = copy_and_resume(freeze, error);
	result = result == 1 ? start_again(freeze, error) : result;
	freeze_restore_signals(&before);
	return result;
}

/* What is stopped is listed now. */
static int list_stopped(struct frozen *frozen, struct pidmem_error *error)
{
	precopy_close(take(frozen->precopy));
	frozen->live->consistency = frozen->consistency;
	return frozen->consistency == PIDMEM_STOPPED ? pidmem_source_refresh(frozen->live, error) : 0;
}

/* Open the sources. 1 where copies were lost meanwhile: then there is another way. */
static int open_sources(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	static const char lost[] = "its copy was ended at once: out of memory?";

	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *frozen = freeze->items[i];
		struct pidmem_error cause;
		bool copied = frozen->consistency == PIDMEM_SNAPSHOT;
		int result = !copied           ? list_stopped(frozen, &cause)
			     : frozen->precopy ? precopy_finish(frozen->precopy, &cause)
					       : pause_finish(frozen, &cause);
		if (result >= 0)
			continue;
		if (!copied || cause.code != PIDMEM_GONE) {
			if (error)
				*error = cause;
			return result;
		}
		result = freeze_try_precopy(freeze, frozen, lost)
				 ? 0
				 : fall_back_from_snapshot(freeze, frozen, lost, error);
		return result < 0 ? result : 1;
	}
	return 0;
}

int freeze_take_moment(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = stop_and_copy(freeze, error);

	if (result == 0 && (result = open_sources(freeze, error)) == 1)
		return start_again(freeze, error);
	return result;
}
