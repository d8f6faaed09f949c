/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The object that holds one moment of some processes. */
#include "source/freeze.h"

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "process/process.h"
#include "source/precopy.h"
#include "source/walk.h"

static void frozen_free(struct frozen *frozen)
{
	if (!frozen)
		return;
	pidmem_walk_close(frozen->saver);
	precopy_close(frozen->precopy);
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
	guard_end(take(freeze->guard)); /* first of all: it lets the processes go */
	for (size_t i = 0; i < freeze->count; i++)
		frozen_free(freeze->items[i]);
	free(freeze->items);
	free(freeze);
}
DEFINE_CLEANUP(cleanup_freeze, struct pidmem_freeze *, pidmem_freeze_close)
#define AUTO_FREEZE CLEANUP(cleanup_freeze) struct pidmem_freeze *

static int check_selection(const struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = 0;

	for (size_t i = 0; i < freeze->count && freeze->options.select; i++)
		if ((result = pidmem_select_check(freeze->options.select, freeze->items[i]->live->maps, error)) == 0)
			return 0;
	return result;
}

/* What is read while it stands still: what takes long is done now. */
static void get_ready(struct pidmem_freeze *freeze)
{
	for (size_t i = 0; i < freeze->count; i++) {
		struct pidmem_source *live = freeze->items[i]->live;
		if (freeze->items[i]->consistency != PIDMEM_STOPPED)
			continue;
		leases_begin(&live->backings.leases, live->process);
		leases_wait(&live->backings.leases);
	}
}

/* Where there is something against a copy, nobody needs to be stopped to find that out. */
static int check_copies(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = 0;

	for (size_t i = 0; i < freeze->count && result == 0; i++) {
		const struct frozen *frozen = freeze->items[i];
		if (frozen->consistency == PIDMEM_SNAPSHOT && !frozen->precopy && frozen->no_copy[0])
			result = fall_back_from_snapshot(freeze, frozen, frozen->no_copy, error);
	}
	return result;
}

static int hold(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	int result = guard_start(error, &freeze->guard);

	if (result < 0 || (result = freeze_prepare(freeze, error)) < 0 || (result = check_selection(freeze, error)) < 0)
		return result;
	do {
		if ((result = freeze_precopy(freeze, error)) < 0 || (result = check_copies(freeze, error)) < 0)
			return result;
		get_ready(freeze);
		result = freeze_take_moment(freeze, error);
	} while (result == 1);
	return result;
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
	watch_init(&freeze->watch, freeze->options.progress, freeze->options.user);
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
