/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Regular expressions in the syntax of PCRE2, over bytes: a dot is a byte, and letters of other alphabets than ASCII
 * are several. Matches do not overlap: the next one begins behind the last.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "base/error.h"
#include "find/pattern.h"

/* Steps that are tried at one place before the expression is given up: a fraction of a second. */
#define MOST_STEPS 2000000
/* An expression can stay below that at every place and be of no use all the same: for a part of memory that is looked
 * at in one go, 64 KiB mostly, no more than this. Asked after each slice. */
#define MOST_SECONDS 4
#define SLICE (16UL << 10)
#define MOST_HEAP (64 * 1024) /* KiB */
#define NESTED "nested repetitions such as (a*)* are the usual cause: possessive ones, a*+, are not"
#define LEAST_STACK (32UL << 10)
#define MOST_STACK (8UL << 20)

static int bad_pattern(int number, size_t at, struct pidmem_error *error)
{
	PCRE2_UCHAR text[128] = "";

	pcre2_get_error_message(number, text, sizeof text);
	return with_address(
		error,
		with_hint(error,
			  fail(error, PIDMEM_USAGE, EINVAL, "the regular expression is wrong at its character %zu: %s",
			       at + 1, (char *)text),
			  "see pcre2pattern(3); to look for text as it stands, leave out the option for "
			  "expressions"),
		at);
}

int regex_compile(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	uint32_t options = PCRE2_MULTILINE | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_USE_OFFSET_LIMIT, behind = 0;
	int number;
	size_t at;

	if (given->wide)
		return fail(error, PIDMEM_USAGE, EINVAL, "regular expressions have no wide form");
	if (!given->length)
		return fail(error, PIDMEM_USAGE, EINVAL, "the regular expression is empty");
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	if (!context)
		return fail_memory(error);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pattern->code = pcre2_compile((PCRE2_SPTR)given->text, given->length,
				      options | (given->any_case ? PCRE2_CASELESS : 0), &number, &at, context);
	pcre2_compile_context_free(context);
	if (!pattern->code)
		return bad_pattern(number, at, error);
	pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE); /* where that is impossible, it is slower */
	pcre2_pattern_info(pattern->code, PCRE2_INFO_MAXLOOKBEHIND, &behind);
	pattern->behind = behind + 1; /* for ^ and \b, should they not be counted */
	pattern->longest = LONGEST_MATCH;
	pattern->matcher = &regex_matcher;
	return 0;
}

int regex_scratch_init(struct regex_scratch *scratch)
{
	scratch->context = pcre2_match_context_create(NULL);
	scratch->data = pcre2_match_data_create(1, NULL);
	scratch->stack = pcre2_jit_stack_create(LEAST_STACK, MOST_STACK, NULL);
	if (!scratch->context || !scratch->data || !scratch->stack)
		return -ENOMEM;
	pcre2_set_match_limit(scratch->context, MOST_STEPS);
	pcre2_set_heap_limit(scratch->context, MOST_HEAP);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	return 0;
}

void regex_scratch_done(struct regex_scratch *scratch)
{
	pcre2_match_context_free(scratch->context);
	pcre2_match_data_free(scratch->data);
	pcre2_jit_stack_free(scratch->stack);
}

/* A match of the bytes [base, end) of the window that begins in [from, limit]: 1, 0 or -errno. */
static int find_one(const struct pattern *pattern, const struct look *look, size_t base, size_t end, size_t from,
		    size_t limit, size_t *start, size_t *stop)
{
	const struct window *window = look->window;
	uint32_t options = PCRE2_NOTEMPTY | (window->ends && end == window->size ? 0 : PCRE2_NOTEOL);
	struct regex_scratch *scratch = look->scratch;

	pcre2_set_offset_limit(scratch->context, limit - base);
	int result = pcre2_match(pattern->code, window->bytes + base, end - base, from - base, options, scratch->data,
				 scratch->context);
	if (result == PCRE2_ERROR_NOMATCH)
		return 0;
	if (result == PCRE2_ERROR_NOMEMORY)
		return fail_memory(look->error);
	if (result < 0)
		return with_hint(look->error,
				 with_address(look->error,
					      fail(look->error, PIDMEM_UNSUPPORTED, ELOOP,
						   "the regular expression takes too many steps near 0x%" PRIx64,
						   window->address + from),
					      window->address + from),
				 NESTED);
	const size_t *places = pcre2_get_ovector_pointer(scratch->data);
	*start = base + places[0];
	*stop = base + places[1];
	return 1;
}

/* The same, and no longer than a match may be: as if nothing was behind that. */
static int find_bounded(const struct pattern *pattern, const struct look *look, size_t from, size_t limit,
			size_t *start, size_t *stop)
{
	size_t base = from < pattern->behind ? 0 : from - pattern->behind, size = look->window->size;

	for (;;) {
		size_t end = size - limit > LONGEST_MATCH ? limit + LONGEST_MATCH : size;
		int result = find_one(pattern, look, base, end, from, limit, start, stop);
		if (result != 1 || *stop <= *start || *stop - *start <= LONGEST_MATCH)
			return result;
		size_t place = *start;
		result = find_one(pattern, look, base, place + LONGEST_MATCH, place, place, start, stop);
		if (result != 0 || place == limit)
			return result;
		from = place + 1;
	}
}

static int64_t seconds_used(void)
{
	struct timespec time = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec;
}

static int took_too_long(const struct look *look, size_t at)
{
	uint64_t address = look->window->address + at;

	return with_hint(
		look->error,
		with_address(look->error,
			     fail(look->error, PIDMEM_UNSUPPORTED, ETIME,
				  "the regular expression takes more than %d seconds for the bytes before 0x%" PRIx64,
				  MOST_SECONDS, address),
			     address),
		NESTED);
}

/* The next match that begins before `to`, as find_bounded(). */
static int find_next(const struct pattern *pattern, const struct look *look, size_t from, int64_t until, size_t *start,
		     size_t *stop)
{
	for (size_t end; from < look->to; from = end) {
		end = look->to - from > SLICE ? from + SLICE : look->to;
		int result = find_bounded(pattern, look, from, end - 1, start, stop);
		if (result != 0)
			return result;
		if (seconds_used() > until)
			return took_too_long(look, end);
	}
	return 0;
}

static int scan(const struct pattern *pattern, const struct look *look)
{
	uint64_t address = look->window->address, *resume = &look->resume[look->pattern];
	size_t from = look->from, start = 0, stop = 0;
	int64_t until = seconds_used() + MOST_SECONDS;
	int result = 0;

	if (*resume > address + from)
		from = *resume - address < look->to ? (size_t)(*resume - address) : look->to;
	while ((result = find_next(pattern, look, from, until, &start, &stop)) == 1) {
		if (stop <= start || start < look->from) { /* \K in a look-around can do that */
			from++;
			continue;
		}
		look_found(look, start, stop - start);
		from = stop;
		*resume = address + stop;
	}
	return result < 0 ? result : 0;
}

static ssize_t match(const struct pattern *pattern, const struct look *look)
{
	size_t start = 0, stop = 0;
	int result = find_bounded(pattern, look, look->from, look->from, &start, &stop);

	return result == 1 ? (start == look->from && stop > start ? (ssize_t)(stop - start) : 0) : result;
}

const struct matcher regex_matcher = { scan, match };
