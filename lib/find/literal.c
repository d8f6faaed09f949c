/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes under masks, looked for by their rarest two bytes, 64 places at once. */
#include "find/literal.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* How common a byte is in the memory of programs: zeros, small numbers, all ones, text. A guess is enough. */
static unsigned commonness(unsigned char byte)
{
	static const char frequent[] = "etaoinsrlcdpu_ ./";

	if (byte == 0)
		return 255;
	if (byte == 0xff)
		return 200;
	if (strchr(frequent, byte))
		return 150;
	if (byte < 9 || (byte >= 'a' && byte <= 'z'))
		return 120;
	if (byte % 8 == 0 || byte == 0x7f)
		return 100;
	return byte >= 0x20 && byte < 0x7f ? 60 : 30;
}

static unsigned cost(const struct literal *literal, size_t at)
{
	unsigned looseness = 8 - (unsigned)__builtin_popcount(literal->mask[at]);

	return looseness > 1 ? 256 * looseness : commonness(literal->value[at]) + looseness * 20;
}

/* The two cheapest places; the same one twice if there is only one byte. */
static void choose_anchors(struct literal *literal)
{
	size_t best = 0, second = literal->size > 1;

	for (size_t i = 1; i < literal->size; i++) {
		if (cost(literal, i) < cost(literal, best)) {
			second = best;
			best = i;
		} else if (i != best && (second == best || cost(literal, i) < cost(literal, second))) {
			second = i;
		}
	}
	literal->anchors[0] = best;
	literal->anchors[1] = second;
}

void literal_done(struct literal *literal)
{
	free(literal->value);
	free(literal->mask);
	*literal = (struct literal){ 0 };
}

/* Take bytes and masks, which stand in buffers; those go with it. */
int literal_take(struct pattern *pattern, struct buffer *value, struct buffer *mask)
{
	pattern->literal.size = value->size;
	pattern->literal.value = (unsigned char *)take(value->bytes);
	pattern->literal.mask = (unsigned char *)take(mask->bytes);
	pattern->longest = value->size;
	pattern->matcher = &literal_matcher;
	for (size_t i = 0; i < pattern->literal.size; i++)
		pattern->literal.value[i] &= pattern->literal.mask[i];
	choose_anchors(&pattern->literal);
	return 0;
}

int literal_bytes(struct pattern *pattern, const void *bytes, size_t size)
{
	AUTO_BUFFER value = { 0 };
	AUTO_BUFFER mask = { 0 };

	if (buffer_append(&value, bytes, size) < 0 || buffer_reserve(&mask, size) < 0)
		return -ENOMEM;
	memset(mask.bytes, 0xff, size);
	mask.size = size;
	return literal_take(pattern, &value, &mask);
}

bool literal_fits(const struct literal *literal, const unsigned char *bytes)
{
	for (size_t i = 0; i < literal->size; i++)
		if ((bytes[i] & literal->mask[i]) != literal->value[i])
			return false;
	return true;
}

/* ------------------------------------------------------------------------------------------ searching --- */

typedef unsigned char block __attribute__((vector_size(32)));
typedef uint64_t words __attribute__((vector_size(32)));

struct pair {
	const unsigned char *bytes; /* of the window */
	size_t at[2];
	unsigned char value[2], mask[2];
};

/* Which of 32 places fit, from `place` on. */
#define FITTING(out, place, which)                                                       \
	do {                                                                             \
		block bytes_;                                                            \
		memcpy(&bytes_, pair->bytes + (place) + pair->at[which], sizeof bytes_); \
		(out) &= (block)((bytes_ & pair->mask[which]) == pair->value[which]);    \
	} while (0)

/*
 * The first place from `from` on, in steps of 64, where one of the next 64 may begin a match; `to` is a bound. A macro,
 * because functions cannot return vectors that are larger than those of every processor.
 */
#define DEFINE_SKIP(name)                                                    \
	static size_t name(const struct pair *pair, size_t from, size_t to)  \
	{                                                                    \
		for (; from + 64 <= to; from += 64) {                        \
			block first = ~(block){ 0 }, second = ~(block){ 0 }; \
			FITTING(first, from, 0);                             \
			FITTING(first, from, 1);                             \
			FITTING(second, from + 32, 0);                       \
			FITTING(second, from + 32, 1);                       \
			words all = (words)(first | second);                 \
			if (all[0] | all[1] | all[2] | all[3])               \
				break;                                       \
		}                                                            \
		return from;                                                 \
	}

DEFINE_SKIP(skip_plain)

#if defined(__x86_64__)
__attribute__((target("avx2"))) DEFINE_SKIP(skip_avx2)

	static size_t skip_best(const struct pair *pair, size_t from, size_t to)
{
	return __builtin_cpu_supports("avx2") ? skip_avx2(pair, from, to) : skip_plain(pair, from, to);
}
#else
#define skip_best skip_plain
#endif

static int scan(const struct pattern *pattern, const struct look *look)
{
	const struct literal *literal = &pattern->literal;
	const struct window *window = look->window;
	size_t to = look->to;

	if (window->size < literal->size)
		return 0;
	to = to < window->size - literal->size + 1 ? to : window->size - literal->size + 1;
	const size_t a = literal->anchors[0], b = literal->anchors[1];
	const struct pair pair = { window->bytes,
				   { a, b },
				   { literal->value[a], literal->value[b] },
				   { literal->mask[a], literal->mask[b] } };
	for (size_t at = look->from; at < to;) {
		at = skip_best(&pair, at, to);
		size_t end = at + 64 < to ? at + 64 : to;
		for (; at < end; at++) {
			const unsigned char *bytes = window->bytes + at;
			if ((bytes[a] & pair.mask[0]) == pair.value[0] && (bytes[b] & pair.mask[1]) == pair.value[1] &&
			    literal_fits(literal, bytes))
				look_found(look, at, literal->size);
		}
	}
	return 0;
}

static ssize_t match(const struct pattern *pattern, const struct look *look)
{
	const struct window *window = look->window;
	size_t size = pattern->literal.size;

	return size <= window->size - look->from && literal_fits(&pattern->literal, window->bytes + look->from)
		       ? (ssize_t)size
		       : 0;
}

const struct matcher literal_matcher = { scan, match };
