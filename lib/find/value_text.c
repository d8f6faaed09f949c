/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers as people write them: 5, -5, 0x1f, 1.5, 1.5~0.01, 3..7; for pointers addresses, and names of regions. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "find/value.h"
#include "process/maps.h"

static const struct {
	const char *name;
	size_t size;
} types[] = {
	[PIDMEM_TYPE_NONE] = { NULL, 0 }, [PIDMEM_TYPE_U8] = { "u8", 1 },   [PIDMEM_TYPE_U16] = { "u16", 2 },
	[PIDMEM_TYPE_U32] = { "u32", 4 }, [PIDMEM_TYPE_U64] = { "u64", 8 }, [PIDMEM_TYPE_I8] = { "i8", 1 },
	[PIDMEM_TYPE_I16] = { "i16", 2 }, [PIDMEM_TYPE_I32] = { "i32", 4 }, [PIDMEM_TYPE_I64] = { "i64", 8 },
	[PIDMEM_TYPE_F32] = { "f32", 4 }, [PIDMEM_TYPE_F64] = { "f64", 8 }, [PIDMEM_TYPE_PTR] = { "ptr", 8 },
};

const char *pidmem_value_type_name(enum pidmem_value_type type)
{
	return (unsigned)type < sizeof types / sizeof *types ? types[type].name : NULL;
}

size_t value_size(enum pidmem_value_type type)
{
	return (unsigned)type < sizeof types / sizeof *types ? types[type].size : 0;
}

static bool is_signed(enum pidmem_value_type type)
{
	return type >= PIDMEM_TYPE_I8 && type <= PIDMEM_TYPE_I64;
}

static bool is_float(enum pidmem_value_type type)
{
	return type == PIDMEM_TYPE_F32 || type == PIDMEM_TYPE_F64;
}

static int not_a_value(const char *text, enum pidmem_value_type type, struct pidmem_error *error)
{
	return with_hint(error,
			 fail(error, PIDMEM_USAGE, EINVAL, "\"%s\" is not a value of the type %s", text,
			      pidmem_value_type_name(type)),
			 is_float(type) ? "a number: 1.5, a range: 1.4..1.6, or with a tolerance: 1.5~0.1"
					: "a number, decimal or 0x hex, or a range of them: 3..7");
}

static bool parse_integer(const char *text, enum pidmem_value_type type, uint64_t *out)
{
	unsigned bits = 8 * (unsigned)types[type].size - is_signed(type);
	uint64_t most = UINT64_MAX >> (64 - bits); /* of the same sign */
	bool negative = *text == '-';
	char *end;

	text += negative;
	if (!isdigit((unsigned char)*text) || (negative && !is_signed(type)))
		return false;
	errno = 0;
	uint64_t number = strtoull(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
	if (errno || *end || number > most + negative)
		return false;
	*out = negative ? -number : number;
	return true;
}

static bool parse_float(const char *text, enum pidmem_value_type type, double *out)
{
	char *end;

	if (!*text || isspace((unsigned char)*text))
		return false;
	errno = 0;
	double number = strtod(text, &end);
	double rounded = type == PIDMEM_TYPE_F32 ? (double)(float)number : number;
	if (*end || isnan(number) || (isinf(rounded) && (errno || !isinf(number)))) /* too large for the type */
		return false;
	*out = rounded;
	return true;
}

/* `low` and `high`, which is NULL for a single one. */
static bool parse_integers(const char *low, const char *high, enum pidmem_value_type type, struct value_range *range)
{
	if (!parse_integer(low, type, &range->low.bits) || !parse_integer(high ? high : low, type, &range->high.bits))
		return false;
	return is_signed(type) ? (int64_t)range->low.bits <= (int64_t)range->high.bits
			       : range->low.bits <= range->high.bits;
}

static bool parse_floats(char *low, const char *high, enum pidmem_value_type type, struct value_range *range)
{
	char *tolerance = high ? NULL : strchr(low, '~');
	double slack = 0;

	if (tolerance) {
		*tolerance = '\0';
		/* The tolerance is not one of the values: it is not rounded as they are. */
		if (!parse_float(tolerance + 1, PIDMEM_TYPE_F64, &slack) || slack < 0)
			return false;
	}
	if (!parse_float(low, tolerance ? PIDMEM_TYPE_F64 : type, &range->low.number) ||
	    !parse_float(high ? high : low, tolerance ? PIDMEM_TYPE_F64 : type, &range->high.number))
		return false;
	range->low.number -= slack;
	range->high.number += slack;
	return range->low.number <= range->high.number;
}

/* A single integer is a literal: those are found faster. */
static int add_integer(struct pattern *pattern, uint64_t bits)
{
	const unsigned char bytes[] = { (unsigned char)bits,         (unsigned char)(bits >> 8),
					(unsigned char)(bits >> 16), (unsigned char)(bits >> 24),
					(unsigned char)(bits >> 32), (unsigned char)(bits >> 40),
					(unsigned char)(bits >> 48), (unsigned char)(bits >> 56) };
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	unsigned char turned[8];
	for (size_t i = 0; i < pattern->longest; i++)
		turned[i] = bytes[pattern->longest - 1 - i];
	return literal_bytes(pattern, turned, pattern->longest);
#else
	return literal_bytes(pattern, bytes, pattern->longest);
#endif
}

static int parse_numbers(struct pattern *pattern, char *text, struct pidmem_error *error)
{
	char *dots = strstr(text, "..");
	struct value_range range;
	enum pidmem_value_type type = pattern->type;
	AUTO_FREE char *whole = strdup(text);

	if (!whole)
		return fail_memory(error);
	if (dots)
		*dots = '\0';
	if (!(is_float(type) ? parse_floats(text, dots ? dots + 2 : NULL, type, &range)
			     : parse_integers(text, dots ? dots + 2 : NULL, type, &range)))
		return not_a_value(whole, type, error);
	int result = !is_float(type) && range.low.bits == range.high.bits ? add_integer(pattern, range.low.bits)
									  : value_add(pattern, &range);
	return result < 0 ? fail_memory(error) : 0;
}

/* ------------------------------------------------------------------------------------------ pointers --- */

/* Programs of 32 bits have nothing above 4 GiB; all others have their stack there. */
static size_t pointer_size(const struct pidmem_maps *maps)
{
	const struct pidmem_region *region;

	for (size_t i = 0; (region = pidmem_maps_get(maps, i)); i++)
		if (region->start > UINT32_MAX && region->start <= INT64_MAX)
			return 8;
	return pidmem_maps_count(maps) ? 4 : 8;
}

static int add_region(struct pattern *pattern, const struct pidmem_select *select, const struct pidmem_region *region)
{
	uint64_t run;

	for (uint64_t done = 0; done < region->size; done += run) {
		uint64_t start = region->start + done;
		bool selected = pidmem_select_test(select, region, start, &run);
		run = run < region->size - done ? run : region->size - done;
		struct value_range range = { { start }, { start + (run - 1) } };
		if (selected && value_add(pattern, &range) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int parse_regions(struct pattern *pattern, const char *text, const struct pidmem_maps *maps,
			 struct pidmem_error *error)
{
	struct pidmem_select *select;
	const struct pidmem_region *region;
	int result = pidmem_select_new(error, &select);

	if (result < 0)
		return result;
	result = pidmem_select_add(select, text, error);
	for (size_t i = 0; result == 0 && (region = pidmem_maps_get(maps, i)); i++)
		if (add_region(pattern, select, region) < 0)
			result = fail_memory(error);
	pidmem_select_free(select);
	return result;
}

static bool is_hex(const char *text)
{
	text += strncasecmp(text, "0x", 2) ? 0 : 2;
	return *text && !text[strspn(text, "0123456789abcdefABCDEF")];
}

static int parse_pointer(struct pattern *pattern, char *text, const struct pidmem_maps *maps,
			 struct pidmem_error *error)
{
	char *dots = strstr(text, "..");
	struct value_range range;

	pattern->longest = pointer_size(maps);
	/* A name means all of its regions, NAME+OFFSET an address. */
	if (!is_hex(text) && !dots && parse_regions(pattern, text, maps, NULL) == 0 && pattern->range_count)
		return 0;
	if (dots)
		*dots = '\0';
	int result = pidmem_maps_resolve(maps, text, error, &range.low.bits);
	if (result == 0 && dots)
		result = pidmem_maps_resolve(maps, dots + 2, error, &range.high.bits);
	else if (result == 0)
		return add_integer(pattern, range.low.bits) < 0 ? fail_memory(error) : 0;
	if (result < 0)
		return result;
	if (range.low.bits > range.high.bits)
		return fail(error, PIDMEM_USAGE, ERANGE, "the range of addresses ends before it begins");
	return value_add(pattern, &range) < 0 ? fail_memory(error) : 0;
}

int value_parse(struct pattern *pattern, const struct pidmem_pattern *given, struct pidmem_error *error)
{
	AUTO_FREE char *text = strndup(given->text, given->length);
	AUTO_MAPS none = given->maps ? NULL : maps_new();

	if (!text || (!none && !given->maps))
		return fail_memory(error);
	pattern->type = given->type;
	pattern->longest = value_size(given->type);
	pattern->matcher = &value_matcher;
	if (!pattern->longest)
		return fail(error, PIDMEM_USAGE, EINVAL, "a value needs a type");
	if (given->type == PIDMEM_TYPE_PTR)
		return parse_pointer(pattern, text, none ? none : given->maps, error);
	return parse_numbers(pattern, text, error);
}
