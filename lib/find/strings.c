/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strings: as many characters in a row as can be printed. In UTF-8 these are ASCII from blank to tilde, the tabulator,
 * and all well-formed characters above the second set of controls; in UTF-16, where almost every pair of bytes is some
 * character, the alphabets up to Cyrillic.
 */
#include "find/strings.h"

#include <errno.h>

#include "base/error.h"
#include "find/pattern.h"

#define STANDARD_LEAST 4

/* What a byte is the beginning of. */
enum { NOTHING, ASCII, LONGER };
static const unsigned char beginnings[256] = { ['\t'] = ASCII, [0x20 ... 0x7e] = ASCII, [0xc2 ... 0xf4] = LONGER };

/* The length of the printable character at `at`, or 0. */
static size_t narrow(const struct window *window, size_t at)
{
	const unsigned char *bytes = window->bytes + at;
	size_t left = window->size - at;

	if (beginnings[bytes[0]] != LONGER)
		return beginnings[bytes[0]] == ASCII;
	if (left < 2 || bytes[1] >> 6 != 2)
		return 0;
	if (bytes[0] < 0xe0)
		return bytes[0] == 0xc2 && bytes[1] < 0xa0 ? 0 : 2;
	if (left < 3 || bytes[2] >> 6 != 2 || (bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
	    (bytes[0] == 0xed && bytes[1] >= 0xa0)) /* too long a form, surrogates */
		return 0;
	if (bytes[0] < 0xf0)
		return 3;
	return left < 4 || bytes[3] >> 6 != 2 || (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
			       (bytes[0] == 0xf4 && bytes[1] >= 0x90)
		       ? 0
		       : 4;
}

/* Behind the character that ends at `at`, or that it is in the middle of; SIZE_MAX if there is none. */
static size_t behind_narrow(const struct window *window, size_t at)
{
	for (size_t before = 1; before <= 4 && before <= at; before++) {
		size_t size = narrow(window, at - before);
		if (size >= before)
			return at - before + size;
	}
	return SIZE_MAX;
}

static size_t wide(const struct window *window, size_t at)
{
	const unsigned char *bytes = window->bytes + at;

	if (window->size - at < 2)
		return 0;
	unsigned unit = bytes[0] | (unsigned)bytes[1] << 8;
	return (unit < 0x80 && beginnings[unit] == ASCII) || (unit >= 0xa0 && unit < 0x530) ? 2 : 0;
}

static size_t behind_wide(const struct window *window, size_t at)
{
	return at >= 2 && wide(window, at - 2) ? at : SIZE_MAX;
}

/* The end of the string that begins at `at`, and how many characters it has. */
static size_t measure(const struct pattern *pattern, const struct window *window, size_t at, size_t *characters)
{
	size_t end = at, most = window->size - at < LONGEST_MATCH ? window->size : at + LONGEST_MATCH, size;

	*characters = 0;
	for (;;) {
		size_t run = pattern->wide ? 0 : strings_ascii(window->bytes, most, end);
		*characters += run;
		end += run;
		for (; !pattern->wide && end < most && beginnings[window->bytes[end]] == ASCII; end++)
			++*characters;
		size = end == most ? 0 : pattern->wide ? wide(window, end) : narrow(window, end);
		if (!size || size > most - end)
			return end;
		++*characters;
		end += size;
	}
}

/* Behind the string that goes on at `at`, if one does. */
static size_t pass(const struct pattern *pattern, const struct look *look, size_t at)
{
	size_t characters, end;

	while (at < look->to && (end = measure(pattern, look->window, at, &characters)) > at)
		at = end;
	return at;
}

/* In steps: of UTF-16 there are two rows of units, at even addresses and at odd ones. */
static void scan_row(const struct pattern *pattern, const struct look *look, size_t at, size_t step)
{
	const struct window *window = look->window;

	size_t behind = at >= look->to ? SIZE_MAX : pattern->wide ? behind_wide(window, at) : behind_narrow(window, at);

	if (behind != SIZE_MAX)
		at = pass(pattern, look, behind);
	while (at < look->to) {
		at = strings_skip(window->bytes, window->size, at, look->to, pattern->least, pattern->wide);
		if (at >= look->to)
			break;
		size_t characters, end = measure(pattern, window, at, &characters);
		if (characters >= pattern->least)
			look_found(look, at, end - at);
		/* What is longer than a match may be is the same string still. */
		at = characters ? pass(pattern, look, end) : at + step;
	}
}

static int scan(const struct pattern *pattern, const struct look *look)
{
	scan_row(pattern, look, look->from, pattern->wide ? 2 : 1);
	if (pattern->wide)
		scan_row(pattern, look, look->from + 1, 2);
	return 0;
}

static ssize_t match(const struct pattern *pattern, const struct look *look)
{
	const struct window *window = look->window;
	size_t characters, end = measure(pattern, window, look->from, &characters);

	return characters >= pattern->least ? (ssize_t)(end - look->from) : 0;
}

const struct matcher strings_matcher = { scan, match };

int strings_init(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	pattern->least = given->least ? given->least : STANDARD_LEAST;
	pattern->wide = given->wide;
	pattern->longest = LONGEST_MATCH;
	pattern->behind = 4;
	pattern->matcher = &strings_matcher;
	if (pattern->least > LONGEST_MATCH / 4)
		return with_hint(error,
				 fail(error, PIDMEM_USAGE, ERANGE, "strings of at least %zu characters: more than %d",
				      pattern->least, LONGEST_MATCH / 4),
				 "longer ones are found by a smaller number as well");
	return 0;
}
