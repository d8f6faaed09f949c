/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Letting processes go, all or one of them, and noting how long they stood still. */
#include "base/error.h"
#include "process/process.h"
#include "source/precopy.h"

void frozen_add_stop(struct frozen *frozen, uint64_t stop_us)
{
	if (stop_us == 0)
		return;
	if (frozen->stop_count < STOPS)
		frozen->stops_us[frozen->stop_count++] = stop_us;
	else if (stop_us > frozen->stops_us[STOPS - 1])
		frozen->stops_us[STOPS - 1] = stop_us;
}

int freeze_resume(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	uint64_t pause_us;
	int result = guard_resume(freeze->guard, error, &pause_us);

	freeze->held = false;
	for (size_t i = 0; i < freeze->count && result >= 0; i++)
		if (freeze->items[i]->stopped && !freeze->items[i]->released)
			frozen_add_stop(freeze->items[i], pause_us);
	return result;
}

int freeze_reap(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	AUTO_FREE uint64_t *stops_us = calloc(freeze->guarded + 1, sizeof *stops_us);

	if (!stops_us)
		return fail_memory(error);
	int result = guard_reap(freeze->guard, error, stops_us);
	for (size_t i = 0; i < freeze->count && result >= 0; i++) {
		struct frozen *frozen = freeze->items[i];
		if (frozen->stopped && frozen->copy)
			frozen_add_stop(frozen, stops_us[frozen->index]);
		frozen->copy = 0;
	}
	return result;
}

static void let_go(struct pidmem_freeze *freeze)
{
	/* As far as they go: guard_end() does all of it once more. */
	if ((!freeze->held || freeze_resume(freeze, NULL) >= 0) && freeze->guarded)
		freeze_reap(freeze, NULL);
	guard_end(take(freeze->guard));
	freeze->guarded = 0;
	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *frozen = freeze->items[i];
		frozen->stopped = false;
		frozen->copy = 0;
		stopped_threads_free(take(frozen->threads));
		source_free(take(frozen->source));
		pidmem_process_close(take(frozen->copy_process));
	}
}

int freeze_start_again(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	let_go(freeze);
	return guard_start(error, &freeze->guard);
}

int freeze_start_anew(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	let_go(freeze);
	for (size_t i = 0; i < freeze->count; i++)
		precopy_close(take(freeze->items[i]->precopy)); /* now: a new guard has a copy of all descriptors */
	freeze->anew = true;
	return guard_start(error, &freeze->guard);
}

/* Its sources do not read any more. */
static void end_reading(struct frozen *frozen)
{
	frozen->live->released = true;
	if (frozen->source)
		frozen->source->released = true;
}

int pidmem_source_release(struct pidmem_source *source, struct pidmem_error *error)
{
	struct frozen *frozen = source->frozen;
	uint64_t stops_us[2];

	if (!frozen || frozen->released || frozen->freeze->released)
		return 0;
	frozen->released = true;
	end_reading(frozen);
	if (!frozen->stopped) /* it is read live */
		return 0;
	int result = guard_release(frozen->freeze->guard, frozen->index, error, stops_us);
	if (result < 0)
		return result;
	frozen_add_stop(frozen, stops_us[0]);
	frozen_add_stop(frozen, stops_us[1]);
	frozen->copy = 0;
	return 0;
}

/* What the guard knows is taken over from it. */
static int take_leave(struct pidmem_freeze *freeze, struct pidmem_error *error)
{
	const struct stopped_threads *threads;
	int result = 0;

	for (size_t i = 0; i < freeze->count; i++) {
		end_reading(freeze->items[i]);
		if (result >= 0)
			result = frozen_threads(freeze->items[i], error, &threads);
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
		int resumed = freeze_resume(freeze, result < 0 ? NULL : error);
		result = result < 0 ? result : resumed;
	}
	if (freeze->guarded && freeze_wants_copies(freeze)) {
		int reaped = freeze_reap(freeze, result < 0 ? NULL : error);
		result = result < 0 ? result : reaped;
	}
	guard_end(take(freeze->guard));
	return result < 0 ? result : 0;
}
