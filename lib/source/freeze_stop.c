/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping all processes of a freeze. What is stopped has no more children, so that its descendants are complete once a
 * look finds no new one. */
#include <errno.h>

#include "base/error.h"
#include "process/children.h"
#include "process/process.h"
#include "process/task.h"
#include "source/freeze.h"

#define PATIENCE_MS 50
/* So often descendants may appear, or end, while they are being stopped. */
#define ROUNDS 50
/* A parent in vfork(2) waits for its child, and does not stop if that was stopped before: another time it does. */
#define WAITS 5

/* A snapshot is wanted: what can be done for it before the stop. It may turn out that there is no room for a copy. */
static int prepare_copy(struct frozen *frozen, struct pidmem_error *error)
{
	int result = pause_prepare(frozen, error);

	if (result >= 0)
		check_copy(frozen, &frozen->freeze->promised);
	return result;
}

/* What is known of a process before it is stopped, if it is new. */
static int prepare(struct frozen *frozen, struct pidmem_error *error)
{
	if (frozen->live)
		return 0;
	int result = fall_back_from_stop(frozen, error);
	if (result < 0 ||
	    (result = source_open_live(frozen->process, frozen->freeze->options.select, error, &frozen->live)) < 0)
		return result;
	frozen->live->frozen = frozen;
	process_read_task(frozen->process, 0, &frozen->stat, &frozen->status);
	return frozen->consistency == PIDMEM_SNAPSHOT ? prepare_copy(frozen, error)
						      : pidmem_source_refresh(frozen->live, error);
}

/* A descendant may have ended, or called exec, since it was found. */
static bool is_lost(struct frozen *frozen)
{
	struct process_status status;
	int result = process_read_status(frozen->process->memory_dir, &status);

	/* The address space of a child of vfork(2) is its parent's, and lives on. */
	return result == -ESRCH || result == -ENOENT || (result == 0 && process_state_is_end(status.state)) ||
	       pidmem_process_check(frozen->process, NULL) == -ESRCH;
}

/* Take out the descendants that are lost: how many. Others under the same numbers are found again. */
static size_t drop_lost(struct pidmem_freeze *freeze)
{
	size_t before = freeze->count;

	for (size_t i = freeze->given; i < freeze->count;)
		if (is_lost(freeze->items[i]))
			freeze_remove(freeze, i);
		else
			i++;
	return before - freeze->count;
}

int freeze_each(struct pidmem_freeze *freeze, int (*work)(struct frozen *, struct pidmem_error *),
		struct pidmem_error *error)
{
	for (size_t i = 0; i < freeze->count;) {
		struct frozen *frozen = freeze->items[i];
		int result = work(frozen, error);
		if (result < 0 && (i < freeze->given || !is_lost(frozen)))
			return result;
		if (result < 0)
			freeze_remove(freeze, i);
		else
			i++;
	}
	return 0;
}

/* Add descendants that are not there yet: how many, or -errno. */
static int find_descendants(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	AUTO_FREE pid_t *known = calloc(freeze->count, sizeof *known);
	AUTO_FREE pid_t *found = NULL;
	size_t near = 0, count = 0, added = 0;

	for (size_t i = 0; known && i < freeze->count; i++)
		if (process_is_near(freeze->items[i]->process)) /* else it has another number here */
			known[near++] = freeze->items[i]->process->pid;
	int result = known ? children_find(known, near, &found, &count) : -ENOMEM;
	if (result < 0)
		return fail_sys(error, -result, "cannot list the processes");
	for (size_t i = 0; i < count; i++) {
		AUTO_PROCESS process = NULL;
		struct pidmem_error cause;
		if (found[i] == getpid()) /* whoever wants a tree that it runs in does not mean itself */
			continue;
		result = pidmem_process_open(found[i], NULL, &cause, &process);
		if (result < 0 && (cause.code == PIDMEM_NO_PROCESS || cause.code == PIDMEM_ZOMBIE))
			continue;
		if (result < 0 && error)
			*error = cause;
		if (result < 0 || (result = freeze_add(freeze, process, true, error)) < 0)
			return result;
		take(process);
		added++;
	}
	return (int)added;
}

unsigned freeze_patience_ms(const struct pidmem_freeze *freeze)
{
	return freeze->options.patience_ms ? freeze->options.patience_ms : PATIENCE_MS;
}

/* Not all could be stopped, and nothing is any more: but some stood still until that was known. */
static void note_failed_stop(struct pidmem_freeze *freeze)
{
	uint64_t pause_us;

	freeze->held = false;
	if (guard_resume(freeze->guard, NULL, &pause_us) < 0)
		return;
	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->items[i]->consistency != PIDMEM_LIVE)
			frozen_add_stop(freeze->items[i], pause_us);
}

/* Stop those that are not: how many that was, or -errno with nothing stopped any more. */
static int stop_some(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	AUTO_FREE pid_t *pids = calloc(freeze->count, sizeof *pids);
	size_t count = 0;

	if (!pids)
		return fail_memory(error);
	for (size_t i = 0; i < freeze->count; i++)
		if (!freeze->items[i]->stopped && freeze->items[i]->consistency != PIDMEM_LIVE)
			pids[count++] = freeze->items[i]->process->pid;
	int result = count ? guard_stop(freeze->guard, pids, count, freeze_patience_ms(freeze), error) : 0;
	if (result < 0)
		note_failed_stop(freeze);
	for (size_t i = 0; i < freeze->count && result == 0; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->stopped || frozen->consistency == PIDMEM_LIVE)
			continue;
		frozen->stopped = true;
		frozen->index = freeze->guarded++;
		freeze->held = true;
	}
	return result < 0 ? result : (int)count;
}

/* Are those that were given still what was opened? A number may have another process by now, or another program. */
static int check_given(const struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = 0;

	for (size_t i = 0; i < freeze->given && result == 0; i++)
		result = pidmem_process_check(freeze->items[i]->process, error);
	return result;
}

/* Not all could be stopped. Can the cause be put aside? 0, or -errno. */
static int put_aside(struct pidmem_freeze *freeze, int failure, const struct pidmem_error *cause,
		     struct pidmem_error *error)
{
	struct frozen *last = NULL;
	size_t aside = drop_lost(freeze), stoppable = 0;
	int result = freeze_start_again(freeze, error);

	for (size_t i = 0; i < freeze->count && result == 0; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->consistency == PIDMEM_LIVE)
			continue;
		result = fall_back_from_stop(frozen, error); /* somebody may trace it by now */
		aside += frozen->consistency == PIDMEM_LIVE;
		stoppable++;
		last = frozen;
	}
	if (result < 0 || aside)
		return result;
	if (freeze->options.descendants && failure == -ETIMEDOUT && freeze->waits++ < WAITS)
		return 0;
	if (cause->code != PIDMEM_GONE && stoppable == 1 && freeze->options.fall_back) {
		fall_back_to_live(last, cause->text);
		return 0;
	}
	if (error)
		*error = *cause;
	return failure;
}

int freeze_prepare(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int found = freeze->options.descendants ? find_descendants(freeze, error) : 0;

	return found < 0 ? found : freeze_each(freeze, prepare, error);
}

int freeze_stop(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	struct pidmem_error cause;
	int result;

	for (unsigned i = 0; i < ROUNDS; i++) {
		result = freeze_prepare(freeze, error);
		if (result < 0)
			return result;
		result = stop_some(freeze, &cause);
		if (result == 0)
			return 0;
		if (result < 0)
			result = put_aside(freeze, result, &cause, error);
		else if (drop_lost(freeze)) /* of exec: it is found again, but the guard holds it already */
			result = freeze_start_again(freeze, error);
		else
			result = check_given(freeze, error);
		if (result < 0)
			return result;
	}
	return with_hint(error,
			 fail(error, PIDMEM_SYSTEM, EAGAIN,
			      "the descendants of process %d come and go faster than they can be stopped",
			      freeze->items[0]->process->pid),
			 "name single processes");
}
