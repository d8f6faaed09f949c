/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of a freeze and of its processes. */
#include <errno.h>

#include "base/error.h"
#include "base/options.h"
#include "process/task.h"
#include "source/precopy.h"
#include "source/recorded.h"

size_t pidmem_freeze_count(const struct pidmem_freeze *freeze)
{
	return freeze->count;
}

struct pidmem_process *pidmem_freeze_process(struct pidmem_freeze *freeze, size_t index)
{
	return index < freeze->count ? freeze->items[index]->process : NULL;
}

struct pidmem_source *frozen_source(const struct frozen *frozen)
{
	return frozen->consistency == PIDMEM_SNAPSHOT ? frozen->source : frozen->live;
}

struct pidmem_source *pidmem_freeze_source(struct pidmem_freeze *freeze, size_t index)
{
	return index < freeze->count ? frozen_source(freeze->items[index]) : NULL;
}

int frozen_threads(struct frozen *frozen, struct pidmem_error *error, const struct stopped_threads **threads)
{
	int result = 0;

	if (!frozen->threads && frozen->stopped && frozen->freeze->guard)
		result = guard_threads(frozen->freeze->guard, frozen->index, error, &frozen->threads);
	if (result >= 0)
		*threads = frozen->threads;
	return result;
}

int source_threads(struct pidmem_source *source, struct pidmem_error *error, const struct stopped_threads **threads)
{
	if (source->frozen)
		return frozen_threads(source->frozen, error, threads);
	*threads = NULL;
	return 0;
}

void source_leader(const struct pidmem_source *source, struct process_stat *stat, struct process_status *status)
{
	*stat = (struct process_stat){ 0 };
	*status = (struct process_status){ 0 };
	if (source->frozen) {
		*stat = source->frozen->stat;
		*status = source->frozen->status;
	} else {
		process_read_task(source->target, 0, stat, status);
	}
}

/* How many threads there are, and how many of them were to be stopped and did not. */
static int count_threads(struct frozen *frozen, struct pidmem_error *error, struct pidmem_freeze_report *report)
{
	const struct stopped_threads *stopped;
	struct pidmem_threads *running;
	int result = frozen_threads(frozen, error, &stopped);

	if (result < 0)
		return result;
	if (stopped) {
		report->threads = stopped->count;
		for (size_t i = 0; i < stopped->count; i++)
			report->unstopped += !stopped->threads[i].stopped;
	} else if (pidmem_threads_read(frozen->process, NULL, &running) == 0) { /* else it has ended */
		report->threads = pidmem_threads_count(running);
		pidmem_threads_free(running);
	}
	return 0;
}

static int make_report(struct frozen *frozen, struct pidmem_error *error, struct pidmem_freeze_report *out)
{
	struct pidmem_freeze_report report = {
		.consistency = frozen->consistency,
		.engine = frozen->consistency != PIDMEM_SNAPSHOT ? PIDMEM_ENGINE_NONE
			  : frozen->precopy                      ? PIDMEM_ENGINE_PRECOPY
								 : PIDMEM_ENGINE_CLONE,
		.fallback = frozen->fallback[0] ? frozen->fallback : NULL,
		.stops_us = frozen->stops_us,
		.stop_count = frozen->stop_count,
		.shared_paused = frozen->shared_paused,
		.shared_after = frozen->shared_after,
		.passes = frozen->precopy ? frozen->precopy->passes : 0,
		.untracked = frozen->precopy ? frozen->precopy->untracked : 0,
	};
	int result = count_threads(frozen, error, &report);

	for (size_t i = 0; i < frozen->stop_count; i++)
		if (frozen->stops_us[i] > report.pause_us)
			report.pause_us = frozen->stops_us[i];
	if (result >= 0)
		options_give(out, &report, sizeof report);
	return result;
}

int pidmem_freeze_describe(const struct pidmem_freeze *freeze, size_t index, struct pidmem_error *error,
			   struct pidmem_freeze_report *report)
{
	int result = options_check_room(report, error);

	if (result < 0)
		return result;
	if (index >= freeze->count)
		return fail(error, PIDMEM_USAGE, EINVAL, "there is no process %zu in this freeze of %zu", index,
			    freeze->count);
	return make_report(freeze->items[index], error, report);
}

int source_report(struct pidmem_source *source, struct pidmem_error *error, struct pidmem_freeze_report *report)
{
	if (source->frozen)
		return make_report(source->frozen, error, report);
	struct pidmem_freeze_report other = { .consistency = PIDMEM_LIVE };
	if (source->recorded)
		recorded_report(source->recorded, &other);
	options_give(report, &other, sizeof other);
	return 0;
}
