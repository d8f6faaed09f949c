/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Most of most memory is no text. Of 64 bytes it is found out at once of which sort each is, as bits of a word; what
 * could belong to characters, and where so many of them stand in a row that a string may begin, is then a matter of a
 * few shifts. What is behind the 64 bytes is taken for text: only what is certain is passed over.
 */
#include "find/strings.h"

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define WINDOW 64
/* Characters in a row that are looked for; a row of more contains one of these. */
#define MOST_ROW 16

/* A bit for each of 64 bytes. */
struct sorts {
	uint64_t ascii;
	uint64_t leads[3];  /* of characters of two, three, four bytes */
	uint64_t follows;   /* 0x80 to 0xbf */
	uint64_t zero, low; /* 0, and 1 to 5: the high halves of UTF-16 */
	uint64_t latin;     /* from 0xa0 on */
};

#if defined(__SSE2__)

static inline __m128i above(__m128i bytes, int least)
{
	return _mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(least - 1)));
}

static inline __m128i between(__m128i bytes, int least, int beyond)
{
	return _mm_andnot_si128(above(bytes, beyond), above(bytes, least));
}

static inline uint64_t bits(__m128i all, size_t at)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(all) << at;
}

/* Comparisons are of signed bytes: 0x80 is the least. */
static inline __attribute__((always_inline)) struct sorts sort(const unsigned char *from)
{
	struct sorts sorts = { 0 };

	for (size_t at = 0; at < WINDOW; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
		__m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
		sorts.ascii |= bits(_mm_or_si128(between(bytes, 0x20, 0x7f), tab), at);
		sorts.leads[0] |= bits(between(bytes, 0xc2 - 256, 0xe0 - 256), at);
		sorts.leads[1] |= bits(between(bytes, 0xe0 - 256, 0xf0 - 256), at);
		sorts.leads[2] |= bits(between(bytes, 0xf0 - 256, 0xf5 - 256), at);
		sorts.follows |= bits(_mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(0xc0 - 256))), at);
		sorts.zero |= bits(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()), at);
		sorts.low |= bits(between(bytes, 1, 6), at);
		sorts.latin |= bits(between(bytes, 0xa0 - 256, 0), at);
	}
	return sorts;
}

#else

static struct sorts sort(const unsigned char *from)
{
	struct sorts sorts = { 0 };

	for (size_t at = 0; at < WINDOW; at++) {
		unsigned char byte = from[at];
		sorts.ascii |= (uint64_t)(byte == '\t' || (byte >= 0x20 && byte < 0x7f)) << at;
		sorts.leads[0] |= (uint64_t)(byte >= 0xc2 && byte < 0xe0) << at;
		sorts.leads[1] |= (uint64_t)(byte >= 0xe0 && byte < 0xf0) << at;
		sorts.leads[2] |= (uint64_t)(byte >= 0xf0 && byte < 0xf5) << at;
		sorts.follows |= (uint64_t)(byte >= 0x80 && byte < 0xc0) << at;
		sorts.zero |= (uint64_t)(byte == 0) << at;
		sorts.low |= (uint64_t)(byte >= 1 && byte < 6) << at;
		sorts.latin |= (uint64_t)(byte >= 0xa0) << at;
	}
	return sorts;
}

#endif

/* What the byte `by` places behind each is. */
static inline uint64_t ahead(uint64_t sort, unsigned by)
{
	return sort >> by | ~(UINT64_MAX >> by);
}

/* Which bytes may be part of a character that begins here. */
static inline uint64_t narrow(const struct sorts *sorts)
{
	uint64_t second = ahead(sorts->follows, 1), third = second & ahead(sorts->follows, 2);
	uint64_t two = sorts->leads[0] & second, three = sorts->leads[1] & third;
	uint64_t four = sorts->leads[2] & third & ahead(sorts->follows, 3);

	return sorts->ascii | two | two << 1 | three | three << 1 | three << 2 | four | four << 1 | four << 2 |
	       four << 3;
}

/* Where units of two bytes may be characters. */
static inline uint64_t wide(const struct sorts *sorts)
{
	return (ahead(sorts->zero, 1) & (sorts->ascii | sorts->latin)) | ahead(sorts->low, 1);
}

/* Where so many bits are set in a row, each `stride` from the next. */
static inline uint64_t rows(uint64_t set, size_t count, unsigned stride)
{
	for (size_t have = 1, more; have < count; have += more) {
		more = have < count - have ? have : count - have;
		set &= set >> more * stride;
	}
	return set;
}

size_t strings_skip(const unsigned char *bytes, size_t size, size_t from, size_t to, size_t least, bool is_wide)
{
	size_t row = least < MOST_ROW ? least : MOST_ROW;
	size_t step = is_wide ? WINDOW - 2 * (row - 1) : WINDOW - (row - 1);

	for (; from < to && size - from >= WINDOW; from += step) {
		struct sorts sorts = sort(bytes + from);
		uint64_t begins = is_wide ? rows(wide(&sorts), row, 2) & UINT64_MAX / 3 : rows(narrow(&sorts), row, 1);
		if (begins)
			return from + (size_t)__builtin_ctzll(begins);
	}
	return from;
}

size_t strings_ascii(const unsigned char *bytes, size_t size, size_t from)
{
	size_t at = from;

	while (size - at >= WINDOW && sort(bytes + at).ascii == UINT64_MAX)
		at += WINDOW;
	return at - from;
}
