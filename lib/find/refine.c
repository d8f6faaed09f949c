/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Narrowing earlier matches: their places are looked at again, those that lie close together in one piece. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "find/find.h"
#include "format/matches.h"
#include "source/content.h"
#include "source/walk.h"

#define PAGE 4096ULL
/* A piece is doubled while the next place lies close behind it. */
#define LEAST_PIECE (64UL << 10)
#define MOST_PIECE (4UL << 20)

/* Contiguous bytes of the piece. */
struct run {
	size_t from, to;
};

struct refine {
	struct content *file;
	struct matches_reader reader;
	const char *path;
	unsigned char *piece;
	size_t room, wanted; /* of a piece, without what matches depend on */
	uint64_t address, size;
	struct run *runs;
	size_t run_count, run_capacity, run;
};

void refine_close(struct refine *refine)
{
	if (!refine)
		return;
	matches_reader_done(&refine->reader);
	content_close(refine->file);
	free(refine->piece);
	free(refine->runs);
	free(refine);
}
DEFINE_CLEANUP(cleanup_refine, struct refine *, refine_close)

enum pidmem_value_type refine_type(const struct refine *refine)
{
	return refine->reader.type;
}

static int bad_file(const struct refine *refine, struct pidmem_error *error)
{
	return with_hint(error,
			 fail(error, PIDMEM_FORMAT, EBADMSG, "%s is not a file of saved matches, or it is damaged",
			      refine->path),
			 "a search saves its matches if it is asked to");
}

int refine_open(struct pidmem_find *find, struct pidmem_error *error)
{
	CLEANUP(cleanup_refine) struct refine *refine = calloc(1, sizeof *refine);
	AUTO_FD fd = open(find->options.earlier, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum pidmem_change change = find->options.change;
	int result;

	if (!refine)
		return fail_memory(error);
	if (fd < 0)
		return fail_sys(error, errno, "cannot open %s", find->options.earlier);
	refine->path = find->options.earlier;
	refine->wanted = LEAST_PIECE;
	refine->room = MOST_PIECE + find->ahead + find->behind + PAGE;
	refine->piece = malloc(refine->room);
	if (!refine->piece)
		return fail_memory(error);
	if ((result = content_open(fd, refine->path, error, &refine->file)) < 0)
		return result;
	take_fd(&fd);
	result = matches_begin(&refine->reader, &refine->file->reader);
	if (result < 0)
		return result == -ENOMEM ? fail_memory(error) : bad_file(refine, error);
	if ((change == PIDMEM_INCREASED || change == PIDMEM_DECREASED) && !refine->reader.type)
		return fail(error, PIDMEM_USAGE, EINVAL,
			    "the matches in %s are not values: they are neither more nor less", refine->path);
	find->refine = take(refine);
	return 0;
}

/* ------------------------------------------------------------------------------------------- the piece --- */

static int add_run(struct refine *refine, size_t from, size_t to)
{
	struct run *last = refine->run_count ? &refine->runs[refine->run_count - 1] : NULL;

	if (last && last->to == from) {
		last->to = to;
		return 0;
	}
	struct run *runs = array_grow(refine->runs, refine->run_count, &refine->run_capacity, sizeof *runs);
	if (!runs)
		return -ENOMEM;
	refine->runs = runs;
	runs[refine->run_count++] = (struct run){ from, to };
	return 0;
}

static int take_span(struct refine *refine, const struct pidmem_span *span)
{
	size_t at = (size_t)(span->start - refine->address);

	if (span->class_ != PIDMEM_READ && span->class_ != PIDMEM_ZERO)
		return 0;
	if (span->bytes)
		memcpy(refine->piece + at, span->bytes, span->size);
	else
		memset(refine->piece + at, 0, span->size);
	return add_run(refine, at, at + span->size);
}

static int load(struct pidmem_find *find, uint64_t address, struct pidmem_error *error)
{
	struct refine *refine = find->refine;
	uint64_t start = address > find->behind ? (address - find->behind) & ~(PAGE - 1) : 0;
	bool close = refine->size && address - (refine->address + refine->size) < refine->wanted;
	struct pidmem_span span;
	int result;

	refine->wanted = !close ? LEAST_PIECE : refine->wanted < MOST_PIECE ? 2 * refine->wanted : MOST_PIECE;
	refine->address = start;
	refine->size = refine->wanted + find->ahead + find->behind + PAGE;
	if (start + (refine->size - 1) < start)
		refine->size = -start;
	refine->run_count = refine->run = 0;
	if ((result = find_pass(find, start, false, error)) < 0)
		return result;
	walk_seek(find->walk, start, refine->size);
	while ((result = pidmem_walk_next(find->walk, error, &span)) == 1) {
		if ((result = find_account(find, &span, error)) < 0)
			return result;
		if (take_span(refine, &span) < 0)
			return fail_memory(error);
	}
	return result;
}

/* Is all there that a match at this address depends on? */
static bool covers(const struct pidmem_find *find, uint64_t address)
{
	const struct refine *refine = find->refine;
	uint64_t from = address - refine->address;

	return refine->size && from < refine->size &&
	       (refine->size - from >= find->ahead || refine->address + refine->size == 0);
}

/* The bytes around an address: false if there is nothing that can be read. */
static bool find_window(struct refine *refine, uint64_t address, struct window *window)
{
	size_t at = (size_t)(address - refine->address);

	while (refine->run < refine->run_count && refine->runs[refine->run].to <= at)
		refine->run++;
	const struct run *run = &refine->runs[refine->run];
	if (refine->run == refine->run_count || run->from > at)
		return false;
	*window = (struct window){ refine->piece + run->from, run->to - run->from, refine->address + run->from,
				   run->to < refine->size };
	return true;
}

/* --------------------------------------------------------------------------------------------- judging --- */

static bool has_changed(enum pidmem_change change, enum pidmem_value_type type, const unsigned char *now,
			const struct saved_match *was)
{
	if (type == PIDMEM_TYPE_PTR && was->size == 4)
		type = PIDMEM_TYPE_U32;
	switch (change) {
	case PIDMEM_CHANGED:
		return memcmp(now, was->bytes, was->size) != 0;
	case PIDMEM_UNCHANGED:
		return memcmp(now, was->bytes, was->size) == 0;
	case PIDMEM_INCREASED:
		return value_compare(type, now, was->bytes) > 0;
	case PIDMEM_DECREASED:
		return value_compare(type, now, was->bytes) < 0;
	default:
		return true;
	}
}

/* The length of what is there now and fits, 0, or -errno. */
static ssize_t judge(struct pidmem_find *find, const struct window *window, const struct saved_match *was,
		     struct pidmem_error *error, uint32_t *pattern)
{
	size_t at = (size_t)(was->address - window->address);

	*pattern = 0;
	if (find->scanner.patterns->count)
		return scanner_match(&find->scanner, window, at, error, pattern);
	if (was->size > window->size - at || (find->options.align > 1 && was->address % find->options.align != 0) ||
	    !has_changed(find->options.change, find->refine->reader.type, window->bytes + at, was))
		return 0;
	return (ssize_t)was->size;
}

static bool is_of_type(const struct refine *refine, const struct saved_match *was)
{
	size_t size = value_size(refine->reader.type);

	return !size || was->size == size || (refine->reader.type == PIDMEM_TYPE_PTR && was->size == 4);
}

int refine_next(struct pidmem_find *find, struct pidmem_error *error, struct pidmem_match *match)
{
	struct refine *refine = find->refine;
	struct saved_match was;
	struct window window;
	uint32_t pattern;
	int result;

	while ((result = matches_next(&refine->reader, &was)) == 1) {
		if (!is_of_type(refine, &was))
			return bad_file(refine, error);
		if (!covers(find, was.address) && (result = load(find, was.address, error)) < 0)
			return result;
		if (!find_window(refine, was.address, &window))
			continue;
		ssize_t size = judge(find, &window, &was, error, &pattern);
		if (size < 0)
			return (int)size;
		if (!size)
			continue;
		find_describe(find, &window, (size_t)(was.address - window.address), (size_t)size, match);
		match->pattern = pattern;
		match->was = was.bytes;
		match->was_length = was.size;
		return 1;
	}
	return result < 0 ? bad_file(refine, error) : 0;
}
