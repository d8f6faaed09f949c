/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "find/find.h"

#include <errno.h>

#include "base/error.h"
#include "base/options.h"
#include "find/rules.h"
#include "process/maps.h"
#include "source/span.h"

#define MOST_CONTEXT 4096

void pidmem_find_close(struct pidmem_find *find)
{
	if (!find)
		return;
	pidmem_walk_close(find->walk);
	scanner_done(&find->scanner);
	stream_done(&find->stream);
	refine_close(find->refine);
	rules_scan_free(find->rules);
	save_close(find->save);
	free(find);
}
DEFINE_CLEANUP(cleanup_find, struct pidmem_find *, pidmem_find_close)

/* ---------------------------------------------------------------------------------------- the account --- */

static void set_accounted(struct pidmem_find *find, uint64_t start, uint64_t size)
{
	find->accounted = start + size;
	find->accounted_all = size && find->accounted == 0;
}

int find_account(struct pidmem_find *find, const struct pidmem_span *span, struct pidmem_error *error)
{
	uint64_t known = find->accounted > span->start ? find->accounted - span->start : 0;
	struct pidmem_span rest = *span;

	if (find->accounted_all || known >= span->size)
		return 0;
	span_skip(&rest, known);
	set_accounted(find, rest.start, rest.size);
	if (watch_is_cancelled(&find->watch, &rest))
		return file_cancelled(error);
	return pidmem_account_add(find->account, &rest, error);
}

int find_pass(struct pidmem_find *find, uint64_t to, bool all, struct pidmem_error *error)
{
	const struct pidmem_region *region;
	int result = 0;

	while (result == 0 && !find->accounted_all && (all || find->accounted < to) &&
	       (region = pidmem_maps_find_next(find->source->maps, find->accounted)) && (all || region->start < to)) {
		uint64_t start = region->start > find->accounted ? region->start : find->accounted;
		uint64_t size = region->size - (start - region->start);
		if (!all && to - start < size)
			size = to - start;
		struct pidmem_span span = { .start = start,
					    .size = size,
					    .class_ = PIDMEM_EXCLUDED,
					    .why = PIDMEM_WHY_NOT_SOUGHT,
					    .region = region };
		result = pidmem_account_add(find->account, &span, error);
		set_accounted(find, start, size);
	}
	return result;
}

/* -------------------------------------------------------------------------------------------- looking --- */

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

void find_describe(const struct pidmem_find *find, const struct window *window, size_t at, size_t size,
		   struct pidmem_match *match)
{
	size_t before = least(find->options.context, at);

	*match = (struct pidmem_match){
		.address = window->address + at,
		.length = size,
		.region = pidmem_maps_find(find->source->maps, window->address + at),
		.bytes = window->bytes + at - before,
		.before = before,
		.behind = least(find->options.context, window->size - at - size),
	};
}

/* Give the next span to the stream, or tell it that nothing follows. 1, 0 at the end of all, or -errno. */
static int give_span(struct pidmem_find *find, struct pidmem_error *error)
{
	struct pidmem_span *span = &find->span;
	int result;

	if (find->ended)
		return 0;
	if (!find->pending) {
		result = pidmem_walk_next(find->walk, error, span);
		find->ended = result == 0;
		if (result == 1)
			result = find_account(find, span, error);
		if (result < 0)
			return result;
	}
	if (find->ended) {
		stream_end(&find->stream);
		return 1;
	}
	bool content = span_is_known(span);
	find->pending = content && !stream_continues(&find->stream, span->start);
	if (!content || find->pending)
		stream_end(&find->stream);
	else
		stream_give(&find->stream, span->start, span->bytes, span->size);
	return 1;
}

static int search(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match)
{
	struct stretch stretch;
	struct hit hit;
	int result;

	for (;;) {
		result = scanner_next(&find->scanner, error, &hit);
		if (result == 1) {
			find_describe(find, &find->scanner.window, hit.at, hit.size, match);
			match->pattern = hit.pattern;
		}
		if (result != 0)
			return result;
		if (stream_next(&find->stream, &stretch)) {
			if (watch_ask(&find->watch)) /* there can be terabytes of zeros in one span */
				return file_cancelled(error);
			scanner_begin(&find->scanner, &stretch.window, stretch.from, stretch.to);
		} else if ((result = give_span(find, error)) <= 0) {
			return result;
		}
	}
}

/* All is found that was asked for. */
static int finish(struct pidmem_find *find, struct pidmem_error *error)
{
	int result = find_pass(find, 0, true, error);

	find->done = true;
	return result == 0 && find->save ? save_finish(find->save, error) : result;
}

int pidmem_find_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *out)
{
	struct pidmem_match match = { 0 };
	int result;

	if (find->done)
		return 0;
	if (find->options.limit && find->found == find->options.limit)
		return finish(find, error);
	result = find->refine  ? refine_next(find, error, &match)
		 : find->rules ? rules_scan_next(find, error, &match)
			       : search(find, error, &match);
	if (result == 0)
		return finish(find, error);
	if (result == 1 && find->save && match.length && save_match(find->save, &match, error) < 0)
		result = -EIO;
	if (result < 0) {
		find->done = true;
		return result;
	}
	find->found++;
	*out = match;
	return 1;
}

/* --------------------------------------------------------------------------------------------- opening --- */

/* Do zeros alone match? If not, terabytes of them can be passed over. */
static int try_zeros(struct pidmem_find *find, struct pidmem_error *error)
{
	size_t size = find->ahead + find->behind + 1;
	AUTO_FREE unsigned char *bytes = calloc(1, size);
	struct window window = { .bytes = bytes, .size = size };
	uint32_t pattern;

	if (!bytes)
		return fail_memory(error);
	ssize_t matched = scanner_match(&find->scanner, &window, find->behind, error, &pattern);
	return matched > 0 ? 1 : (int)matched;
}

static int check_options(const struct pidmem_find_options *options, const struct pidmem_patterns *patterns,
			 struct pidmem_error *error)
{
	if (options->context > MOST_CONTEXT)
		return with_hint(error,
				 fail(error, PIDMEM_USAGE, ERANGE, "a context of more than %d bytes", MOST_CONTEXT),
				 "read what is around the address of a match");
	if (options->earlier && patterns->rules)
		return fail(error, PIDMEM_USAGE, EINVAL,
			    "rules of YARA look at all memory: earlier matches cannot be narrowed by them");
	if (!options->earlier && !patterns->count && !patterns->rules)
		return fail(error, PIDMEM_USAGE, EINVAL, "there is nothing to look for");
	if (options->change && (!options->earlier || patterns->count))
		return fail(error, PIDMEM_USAGE, EINVAL,
			    "what has changed is known of earlier matches alone, and looked for without patterns");
	return 0;
}

static int prepare(struct pidmem_find *find, struct pidmem_patterns *patterns, struct pidmem_error *error)
{
	struct pidmem_find_options *options = &find->options;
	unsigned flags = options->swapped ? 0 : PIDMEM_WALK_NO_SWAP;

	find->ahead = (patterns->longest ? patterns->longest : LONGEST_MATCH) + options->context;
	find->behind = patterns->behind > options->context ? patterns->behind : options->context;
	int result = patterns_prepare(patterns, error);
	if (result < 0)
		return result;
	if (scanner_init(&find->scanner, patterns) < 0)
		return fail_memory(error);
	result = patterns->count ? try_zeros(find, error) : 0;
	if (result == 0 && patterns->rules)
		result = rules_scan_new(find, patterns->rules, error);
	if (result < 0)
		return result;
	find->scanner.align = options->align; /* of zeros any place counts */
	if (stream_init(&find->stream, find->ahead, find->behind, result == 1) < 0)
		return fail_memory(error);
	watch_init(&find->watch, options->progress, options->user);
	find->watch.state.expected = options->progress ? source_expected(find->source) : 0;
	return pidmem_walk_open(find->source, 0, UINT64_MAX, flags, error, &find->walk);
}

int pidmem_find_open(struct pidmem_source *source, struct pidmem_patterns *patterns,
		     const struct pidmem_find_options *given, struct pidmem_account *account,
		     struct pidmem_error *error, struct pidmem_find **out)
{
	CLEANUP(cleanup_find) struct pidmem_find *find = calloc(1, sizeof *find);

	if (!find)
		return fail_memory(error);
	find->source = source;
	find->account = account;
	int result = options_take(&find->options, sizeof find->options, given, error);
	if (result < 0 || (result = check_options(&find->options, patterns, error)) < 0 ||
	    (result = prepare(find, patterns, error)) < 0 ||
	    (find->options.earlier && (result = refine_open(find, error)) < 0))
		return result;
	find->type = find->refine && !patterns->count ? refine_type(find->refine) : patterns->type;
	if (find->options.save && (result = save_open(&find->options, find->type, error, &find->save)) < 0)
		return result;
	*out = take(find);
	return 0;
}

enum pidmem_value_type pidmem_find_type(const struct pidmem_find *find)
{
	return find->type;
}
