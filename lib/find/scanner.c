/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "find/scanner.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/worker.h"

/* So much is looked at for one pattern after the other: it stays in the cache meanwhile. */
#define CHUNK (64UL << 10)
/* Smaller windows are not worth a second thread. */
#define LEAST_SPLIT (512UL << 10)
/* Matches that are kept until they are asked for; as many more as a chunk has. */
#define MOST_HITS 65536

int scanner_init(struct scanner *scanner, const struct pidmem_patterns *patterns)
{
	*scanner = (struct scanner){ .patterns = patterns };
	for (size_t i = 0; i < 2; i++) {
		struct part *part = &scanner->parts[i];
		part->scanner = scanner;
		part->resume = calloc(patterns->count + 1, sizeof *part->resume);
		if (!part->resume || (patterns->chained && regex_scratch_init(&part->scratch) < 0))
			return -ENOMEM;
	}
	scanner->worker = worker_new();
	return 0;
}

void scanner_done(struct scanner *scanner)
{
	worker_free(scanner->worker);
	for (size_t i = 0; i < 2; i++) {
		hits_done(&scanner->parts[i].hits);
		regex_scratch_done(&scanner->parts[i].scratch);
		free(scanner->parts[i].resume);
	}
}

static struct look look_of(struct part *part, size_t from, size_t to)
{
	return (struct look){ .window = &part->scanner->window,
			      .from = from,
			      .to = to,
			      .align = part->scanner->align,
			      .hits = &part->hits,
			      .scratch = &part->scratch,
			      .resume = part->resume,
			      .error = &part->error };
}

static int look_for(struct part *part, uint32_t pattern, size_t from, size_t to)
{
	const struct pattern *items = part->scanner->patterns->items;
	struct look look = look_of(part, from, to);

	look.pattern = pattern;
	return items[pattern].matcher->scan(&items[pattern], &look);
}

static int look_at_chunk(struct part *part, size_t to)
{
	const struct pidmem_patterns *patterns = part->scanner->patterns;
	size_t first = part->hits.count, alone = patterns->count - literals_count(patterns->literals);
	int result = 0;

	if (patterns->literals) {
		struct look look = look_of(part, part->at, to);
		literals_scan(patterns->literals, &look);
	}
	for (size_t i = 0; alone && result == 0; i++) {
		if (literals_has(patterns->literals, i))
			continue;
		result = look_for(part, (uint32_t)i, part->at, to);
		alone--;
	}
	hits_sort(&part->hits, first);
	return result == 0 && part->hits.failed ? fail_memory(&part->error) : result;
}

/* Go on until there are enough matches for now. */
static void run(void *pointer)
{
	struct part *part = pointer;

	part->hits.count = part->taken = 0;
	while (part->result == 0 && part->at < part->end && part->hits.count < MOST_HITS) {
		size_t to = part->end - part->at > CHUNK ? part->at + CHUNK : part->end;
		part->result = look_at_chunk(part, to);
		part->at = to;
	}
}

void scanner_begin(struct scanner *scanner, const struct window *window, size_t from, size_t to)
{
	struct part *first = &scanner->parts[0], *second = &scanner->parts[1];
	bool split = scanner->worker && to > from && to - from >= LEAST_SPLIT;
	size_t middle = split ? from + (to - from) / 2 : to;

	scanner->window = *window;
	scanner->part = 0;
	/* What ended last, of matches that must not overlap. */
	memcpy(first->resume, second->resume, scanner->patterns->count * sizeof *first->resume);
	first->begin = first->at = from;
	first->end = second->begin = second->at = middle;
	second->end = to;
	if (split)
		worker_begin(scanner->worker, run, second);
	run(first);
	if (split)
		worker_wait(scanner->worker);
	else
		second->hits.count = second->taken = 0;
}

/*
 * The first part has come to its end. Where its last match reaches into the second, which did not know of it, that has
 * to be looked at again for the same pattern.
 */
static int join(struct scanner *scanner)
{
	struct part *first = &scanner->parts[0], *second = &scanner->parts[1];
	uint64_t border = scanner->window.address + second->begin;
	size_t looked_at = second->at;
	int result = 0;

	for (uint32_t i = 0; i < scanner->patterns->count && scanner->patterns->chained && result == 0; i++) {
		bool overlaps = first->resume[i] > border && looked_at > second->begin;
		if (second->resume[i] < first->resume[i] || overlaps)
			second->resume[i] = first->resume[i];
		if (!overlaps)
			continue;
		hits_drop(&second->hits, i);
		result = look_for(second, i, second->begin, looked_at);
		hits_sort(&second->hits, 0);
	}
	return result;
}

/* Give the error of a part: it has stopped there. */
static int failed(const struct part *part, struct pidmem_error *error)
{
	if (error)
		*error = part->error;
	return part->result;
}

int scanner_next(struct scanner *scanner, struct pidmem_error *error, struct hit *hit)
{
	for (;;) {
		struct part *part = &scanner->parts[scanner->part];
		if (part->taken < part->hits.count) {
			*hit = part->hits.items[part->taken++];
			return 1;
		}
		if (part->result < 0)
			return failed(part, error);
		if (part->at < part->end) {
			run(part);
		} else if (scanner->part == 0) {
			scanner->part = 1;
			scanner->parts[1].result =
				scanner->parts[1].result < 0 ? scanner->parts[1].result : join(scanner);
		} else {
			return 0;
		}
	}
}

ssize_t scanner_match(struct scanner *scanner, const struct window *window, size_t at, struct pidmem_error *error,
		      uint32_t *pattern)
{
	const struct pidmem_patterns *patterns = scanner->patterns;
	struct look look = {
		.window = window, .from = at, .to = at + 1, .scratch = &scanner->parts[0].scratch, .error = error
	};

	if (scanner->align > 1 && (window->address + at) % scanner->align != 0)
		return 0;
	for (size_t i = 0; i < patterns->count; i++) {
		ssize_t size = patterns->items[i].matcher->match(&patterns->items[i], &look);
		*pattern = (uint32_t)i;
		if (size)
			return size;
	}
	return 0;
}
