/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The source on what was copied before and in the stop; the process may have ended since. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "process/coredump.h"
#include "process/maps.h"
#include "process/process.h"
#include "process/task.h"
#include "source/precopy.h"
#include "source/walk.h"

static int tell_stored(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	const struct store *store = &walk->source->precopy->store;
	uint64_t offset;

	if (!store_holds(store, walk->position, &limit, &offset))
		return tell(walk, span, limit, PIDMEM_ZERO, PIDMEM_WHY_NONE);
	if (walk->states_only || walk->pass_over_stored)
		return tell(walk, span, limit, PIDMEM_READ, PIDMEM_WHY_NONE);
	ssize_t got = store_read(store, offset, walk->buffer, limit < walk->buffer_size ? limit : walk->buffer_size);
	if (got > 0)
		return tell_read(walk, (size_t)got, span);
	return fail_sys(error, got < 0 ? (int)-got : EIO, "cannot read again what was copied");
}

int tell_precopied(struct pidmem_walk *walk, uint64_t limit, struct pidmem_error *error, struct pidmem_span *span)
{
	const struct precopied_run *run = precopied_find_next(walk->source->precopy, walk->position);

	if (walk->region->kind == PIDMEM_KIND_SHARED || process_vdso_is_own(walk->region))
		return tell_absent(walk, limit, error, span);
	if (!precopy_wants(walk->source->precopy, walk->region, walk->position, &limit))
		return tell(walk, span, limit, PIDMEM_UNREADABLE, PIDMEM_WHY_NOT_COPIED);
	if (run && run->start > walk->position) {
		uint64_t gap = run->start - walk->position;
		limit = gap < limit ? gap : limit;
	}
	if (!run || run->start > walk->position)
		return tell_stored(walk, limit, error, span);
	uint64_t rest = run->start + run->size - walk->position;
	limit = rest < limit ? rest : limit;
	switch (run->what) {
	case PRECOPIED_GUARD:
		return tell(walk, span, limit, PIDMEM_NO_CONTENT, PIDMEM_WHY_GUARD);
	case PRECOPIED_ZERO:
		return tell(walk, span, limit, PIDMEM_ZERO, PIDMEM_WHY_NONE);
	default:
		return tell_absent(walk, limit, error, span);
	}
}

size_t precopied_arguments(const struct precopy *precopy, char *bytes, size_t size)
{
	size = size < precopy->arguments_size ? size : precopy->arguments_size;
	memcpy(bytes, precopy->arguments, size);
	return size;
}

int source_auxv(const struct pidmem_source *source, struct buffer *auxv, bool *is_64)
{
	if (!source->precopy) {
		process_read_auxv(source->process, auxv, is_64); /* a copy has the same, and calls no exec */
		return 0;
	}
	*is_64 = source->precopy->is_64;
	return buffer_append(auxv, source->precopy->auxv.bytes, source->precopy->auxv.size);
}

int source_filter(const struct pidmem_source *source, struct pidmem_error *error, unsigned *filter)
{
	if (!source->precopy || !source->frozen->freeze->options.core)
		return coredump_filter_read(source->process, error, filter);
	*filter = source->frozen->filter;
	return 0;
}

/* The same mapping in a list with usages. */
static const struct pidmem_region *find_same(const struct pidmem_maps *maps, const struct pidmem_region *region)
{
	const struct pidmem_region *same = maps ? pidmem_maps_find(maps, region->start) : NULL;
	uint64_t size = 1;

	return same && same->usage && region_still_maps(same, region, region->start, &size) ? same : NULL;
}

/* Was it not there when all was listed? */
static bool is_new(const struct precopy *precopy, const struct pidmem_region *region)
{
	const struct pidmem_maps *before = precopy->frozen->live->maps;
	const struct pidmem_region *same = find_same(before, region);

	return !same || maps_is_newer(before, same);
}

/* What smaps would have said of a region in the stop, as far as anybody asks: flags are those of before, or of after
 * for a region that was not there before; what has gone by then has none. */
static struct pidmem_usage make_usage(const struct precopy *precopy, const struct pidmem_region *region,
				      const struct pidmem_maps *after)
{
	const struct pidmem_region *same = is_new(precopy, region) ? find_same(after, region) : NULL;
	uint64_t last = region->start + (region->size - 1);

	same = same ? same : find_same(precopy->frozen->live->maps, region);
	struct pidmem_usage usage = same ? *same->usage : (struct pidmem_usage){ 0 };
	if (!precopy_wants_some(precopy, region))
		return usage;
	uint64_t shared = usage.rss > usage.anonymous ? usage.rss - usage.anonymous : 0; /* with its file */
	usage.anonymous = store_has(&precopy->store, region->start, region->size) ? region->size : 0;
	for (const struct precopied_run *run = precopied_find_next(precopy, region->start);
	     usage.anonymous && run && run < precopy->runs + precopy->run_count && run->start <= last; run++) {
		uint64_t from = run->start > region->start ? run->start : region->start;
		uint64_t to = run->start + (run->size - 1) < last ? run->start + (run->size - 1) : last;
		usage.anonymous -= to - from + 1;
	}
	shared = shared < region->size - usage.anonymous ? shared : region->size - usage.anonymous;
	usage.rss = usage.anonymous + shared;
	usage.swap = 0;
	return usage;
}

static struct pidmem_maps *describe(const struct precopy *precopy)
{
	AUTO_MAPS maps = maps_new();
	AUTO_MAPS after = NULL;

	for (size_t i = 0; i < precopy->maps->count && !after; i++)
		if (is_new(precopy, &precopy->maps->regions[i]) &&
		    pidmem_maps_read(precopy->process, PIDMEM_MAPS_USAGE, NULL, &after) < 0)
			break;
	for (size_t i = 0; maps && i < precopy->maps->count; i++) {
		struct pidmem_region region = precopy->maps->regions[i];
		struct pidmem_usage usage = make_usage(precopy, &region, after);
		region.usage = &usage;
		if (maps_add_copy(maps, &region) < 0)
			return NULL;
	}
	if (maps)
		maps_finish(maps);
	return take(maps);
}

/* What was copied and has gone since must not stay. */
static int forget(struct precopy *precopy, struct pidmem_error *error)
{
	const struct pidmem_maps *maps = precopy->maps;
	uint64_t done = 0, size;
	int result = 0;

	for (size_t i = 0; i < precopy->run_count && result == 0; i++)
		result = store_clear(&precopy->store, precopy->runs[i].start, precopy->runs[i].size, error);
	for (size_t i = 0; i < maps->count && result == 0; i++) {
		const struct pidmem_region *region = &maps->regions[i];
		result = store_clear(&precopy->store, done, region->start - done, error);
		done = region->start + region->size;
		for (uint64_t at = region->start; at < done && result == 0; at += size) {
			size = done - at;
			if (!precopy_wants(precopy, region, at, &size))
				result = store_clear(&precopy->store, at, size, error);
		}
	}
	return result == 0 && done ? store_clear(&precopy->store, done, UINT64_MAX - done, error) : result;
}

struct rest {
	struct precopy *precopy;
	struct pidmem_error *error;
	int result;
};

/* What was copied last, and in the stop, goes into the store as well. */
static void write_rest(void *pointer)
{
	struct rest *rest = pointer;
	struct precopy *precopy = rest->precopy;
	int result = precopy_flush(precopy, rest->error);

	page_log_close(&precopy->log);
	page_pool_done(&precopy->recent);
	page_pool_done(&precopy->late);
	if (result == 0)
		result = forget(precopy, rest->error);
	rest->result = result < 0 ? result : store_finish(&precopy->store, rest->error);
}

/* Will pages of it be asked of its file? Those that are in memory and part of a core file are copied in the stop. */
static bool needs_file(const struct precopy *precopy, const struct pidmem_region *region)
{
	const struct pidmem_usage *usage = region->usage;

	if (region->kind != PIDMEM_KIND_FILE || !precopy_wants_some(precopy, region))
		return false;
	if (!precopy->frozen->freeze->options.core || !usage)
		return true;
	return usage->anonymous + usage->swap ? usage->rss < region->size : region->offset == 0 && usage->rss == 0;
}

void precopy_open_files(struct precopy *precopy)
{
	const struct pidmem_maps *maps = precopy->frozen->live->maps;

	precopy->files.many = true;
	for (size_t i = 0; i < maps->count; i++)
		if (needs_file(precopy, &maps->regions[i]))
			backing_of(&precopy->files, precopy->process, &maps->regions[i]);
}

int precopy_finish(struct precopy *precopy, struct pidmem_error *error)
{
	struct frozen *frozen = precopy->frozen;
	struct rest rest = { precopy, error, 0 };

	precopy_untrack(precopy);
	freeze_do(frozen->freeze, write_rest, &rest);
	if (rest.result < 0)
		return rest.result;
	AUTO_SOURCE source = calloc(1, sizeof *source);
	struct pidmem_maps *maps = describe(precopy);
	if (!source || !maps) {
		pidmem_maps_free(maps);
		return fail_memory(error);
	}
	*source = (struct pidmem_source){
		.process = precopy->process,
		.target = precopy->process,
		.select = frozen->freeze->options.select,
		.precopy = precopy,
	};
	frozen->source = take(source);
	kept_sort(&frozen->kept);
	pause_attach(frozen, maps);
	frozen->source->backings = precopy->files;
	precopy->files = (struct backings){ 0 };
	return 0;
}
