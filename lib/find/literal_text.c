/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Literals as people write them. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "find/literal.h"

/* ASCII letters differ from their other case in this bit. */
#define CASE 0x20

static bool is_letter(unsigned char byte)
{
	return (byte | CASE) >= 'a' && (byte | CASE) <= 'z';
}

static int add(struct buffer *value, struct buffer *mask, unsigned byte, unsigned bits)
{
	const char both[] = { (char)byte, (char)bits };

	return buffer_append(value, &both[0], 1) < 0 ? -ENOMEM : buffer_append(mask, &both[1], 1);
}

/* The code point at the beginning of UTF-8, and its length; 0 if it is none. */
static size_t decode(const unsigned char *text, size_t size, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80       ? 1
			: text[0] >> 5 == 6  ? 2
			: text[0] >> 4 == 14 ? 3
			: text[0] >> 3 == 30 ? 4
					     : 0;

	if (!length || length > size)
		return 0;
	*point = length == 1 ? text[0] : text[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		*point = *point << 6 | (text[i] & 0x3f);
	}
	return *point < least[length] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000) ? 0 : length;
}

static int add_unit(struct buffer *value, struct buffer *mask, uint32_t unit, bool any_case)
{
	bool letter = any_case && unit < 0x80 && is_letter((unsigned char)unit);

	return add(value, mask, unit & 0xff, letter ? 0xff & ~CASE : 0xff) < 0 ? -ENOMEM
									       : add(value, mask, unit >> 8, 0xff);
}

/* UTF-16, little-endian: what Windows programs, Java and others hold text in. */
static int add_wide(struct buffer *value, struct buffer *mask, const struct pidmem_pattern *given,
		    struct pidmem_error *error)
{
	const unsigned char *text = (const unsigned char *)given->text;
	uint32_t point;
	int result = 0;

	for (size_t i = 0, length; i < given->length && result == 0; i += length) {
		length = decode(text + i, given->length - i, &point);
		if (!length)
			return fail(error, PIDMEM_USAGE, EILSEQ, "the text is not UTF-8: it has no wide form");
		if (point >= 0x10000) {
			point -= 0x10000;
			result = add_unit(value, mask, 0xd800 + (point >> 10), false);
			point = 0xdc00 + (point & 0x3ff);
		}
		if (result == 0)
			result = add_unit(value, mask, point, given->any_case);
	}
	return result < 0 ? fail_memory(error) : 0;
}

int literal_text(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	AUTO_BUFFER value = { 0 };
	AUTO_BUFFER mask = { 0 };
	int result = 0;

	if (!given->length)
		return fail(error, PIDMEM_USAGE, EINVAL, "the text to look for is empty");
	if (given->wide && (result = add_wide(&value, &mask, given, error)) < 0)
		return result;
	for (size_t i = 0; i < given->length && !given->wide && result == 0; i++) {
		unsigned char byte = (unsigned char)given->text[i];
		result = add(&value, &mask, byte, given->any_case && is_letter(byte) ? 0xff & ~CASE : 0xff);
	}
	if (value.size > LONGEST_MATCH)
		return fail(error, PIDMEM_USAGE, E2BIG, "the text is longer than %d bytes", LONGEST_MATCH);
	return result < 0 ? fail_memory(error) : literal_take(pattern, &value, &mask);
}

/* ----------------------------------------------------------------------------------------------- hex --- */

/* 16 for `?`, -1 for anything that is no digit. */
static int digit(char c)
{
	const char *digits = "0123456789abcdef?",
		   *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | CASE : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static int bad_hex(struct pidmem_error *error, const char *what)
{
	return with_hint(
		error, fail(error, PIDMEM_USAGE, EINVAL, "%s", what),
		"two hex digits for each byte, ? for any digit: \"7f 45 4c 46\", \"7f454c46\", \"48 8b ?? 4?\"");
}

int literal_hex(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	const char *at = given->text, *end = at + given->length;
	AUTO_BUFFER value = { 0 };
	AUTO_BUFFER mask = { 0 };
	unsigned known = 0;

	if (given->length > 2 && at[0] == '0' && (at[1] | CASE) == 'x')
		at += 2;
	while (at < end) {
		if (*at == ' ' || *at == '\t' || *at == ',' || *at == ':') {
			at++;
			continue;
		}
		int high = digit(at[0]), low = end - at > 1 ? digit(at[1]) : -1;
		if (high < 0 || low < 0)
			return bad_hex(error,
				       end - at == 1 && high >= 0 ? "an odd number of hex digits" : "not hex digits");
		unsigned bits = (high < 16 ? 0xf0U : 0) | (low < 16 ? 0x0fU : 0);
		if (add(&value, &mask, ((unsigned)high << 4 | ((unsigned)low & 15)) & bits, bits) < 0)
			return fail_memory(error);
		known |= bits;
		at += 2;
	}
	if (!known)
		return bad_hex(error, value.size ? "any bytes at all fit this pattern" : "no hex digits");
	if (value.size > LONGEST_MATCH)
		return fail(error, PIDMEM_USAGE, E2BIG, "more than %d bytes", LONGEST_MATCH);
	return literal_take(pattern, &value, &mask);
}
