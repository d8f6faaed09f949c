/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers within ranges, at every aligned place. */
#include "find/value.h"

#include <errno.h>
#include <string.h>

int value_add(struct pattern *pattern, const struct value_range *range)
{
	struct value_range *ranges = reallocarray(pattern->ranges, pattern->range_count + 1, sizeof *ranges);

	if (!ranges)
		return -ENOMEM;
	pattern->ranges = ranges;
	ranges[pattern->range_count++] = *range;
	return 0;
}

/* Does a number of this type at `bytes` lie in the range? Of integers, signed or not, the difference does not wrap. */
#define DEFINE_FITS(name, type)                                                       \
	static bool name(const struct value_range *range, const unsigned char *bytes) \
	{                                                                             \
		type number;                                                          \
		memcpy(&number, bytes, sizeof number);                                \
		return (type)(number - (type)range->low.bits) <=                      \
		       (type)((type)range->high.bits - (type)range->low.bits);        \
	}
DEFINE_FITS(fits_8, uint8_t)
DEFINE_FITS(fits_16, uint16_t)
DEFINE_FITS(fits_32, uint32_t)
DEFINE_FITS(fits_64, uint64_t)

static bool fits_f32(const struct value_range *range, const unsigned char *bytes)
{
	float number;

	memcpy(&number, bytes, sizeof number);
	return (double)number >= range->low.number && (double)number <= range->high.number;
}

static bool fits_f64(const struct value_range *range, const unsigned char *bytes)
{
	double number;

	memcpy(&number, bytes, sizeof number);
	return number >= range->low.number && number <= range->high.number;
}

/* Of pointers into regions: one of many ranges, in order. */
static bool fits_pointer(const struct pattern *pattern, const unsigned char *bytes)
{
	size_t low = 0, high = pattern->range_count;
	uint64_t address;
	uint32_t small;

	if (pattern->longest == sizeof small) {
		memcpy(&small, bytes, sizeof small);
		address = small;
	} else {
		memcpy(&address, bytes, sizeof address);
	}
	if (address < pattern->ranges[0].low.bits || address > pattern->ranges[high - 1].high.bits)
		return false;
	while (low < high) { /* the first one that ends at or above the address */
		size_t middle = low + (high - low) / 2;
		if (pattern->ranges[middle].high.bits < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pattern->range_count && pattern->ranges[low].low.bits <= address;
}

/* The loop has to be near the comparison to be fast: one for each. */
#define SCAN(condition)                                                \
	for (size_t at = first; at < to; at += step) {                 \
		const unsigned char *bytes = look->window->bytes + at; \
		if (condition)                                         \
			look_found(look, at, pattern->longest);        \
	}                                                              \
	return 0

static int scan(const struct pattern *pattern, const struct look *look)
{
	const struct value_range *range = pattern->ranges;
	size_t step = look->align > 1 ? look->align : 1, to = look->to, first = look->from;
	uint64_t beyond = (look->window->address + first) % step;

	if (look->window->size < pattern->longest)
		return 0;
	first += beyond ? step - beyond : 0;
	to = to < look->window->size - pattern->longest + 1 ? to : look->window->size - pattern->longest + 1;
	switch (pattern->type) {
	case PIDMEM_TYPE_U8:
	case PIDMEM_TYPE_I8:
		SCAN(fits_8(range, bytes));
	case PIDMEM_TYPE_U16:
	case PIDMEM_TYPE_I16:
		SCAN(fits_16(range, bytes));
	case PIDMEM_TYPE_U32:
	case PIDMEM_TYPE_I32:
		SCAN(fits_32(range, bytes));
	case PIDMEM_TYPE_U64:
	case PIDMEM_TYPE_I64:
		SCAN(fits_64(range, bytes));
	case PIDMEM_TYPE_F32:
		SCAN(fits_f32(range, bytes));
	case PIDMEM_TYPE_F64:
		SCAN(fits_f64(range, bytes));
	default:
		SCAN(fits_pointer(pattern, bytes));
	}
}

static bool fits(const struct pattern *pattern, const unsigned char *bytes)
{
	const struct value_range *range = pattern->ranges;

	switch (pattern->type) {
	case PIDMEM_TYPE_F32:
		return fits_f32(range, bytes);
	case PIDMEM_TYPE_F64:
		return fits_f64(range, bytes);
	case PIDMEM_TYPE_PTR:
		return fits_pointer(pattern, bytes);
	default:
		return pattern->longest == 1   ? fits_8(range, bytes)
		       : pattern->longest == 2 ? fits_16(range, bytes)
		       : pattern->longest == 4 ? fits_32(range, bytes)
					       : fits_64(range, bytes);
	}
}

static ssize_t match(const struct pattern *pattern, const struct look *look)
{
	size_t size = pattern->longest;

	return size <= look->window->size - look->from && fits(pattern, look->window->bytes + look->from)
		       ? (ssize_t)size
		       : 0;
}

const struct matcher value_matcher = { scan, match };

#define COMPARE(type)                                 \
	do {                                          \
		type one, other;                      \
		memcpy(&one, now, sizeof one);        \
		memcpy(&other, was, sizeof other);    \
		return (one > other) - (one < other); \
	} while (0)

int value_compare(enum pidmem_value_type type, const void *now, const void *was)
{
	switch (type) {
	case PIDMEM_TYPE_U8:
		COMPARE(uint8_t);
	case PIDMEM_TYPE_U16:
		COMPARE(uint16_t);
	case PIDMEM_TYPE_U32:
		COMPARE(uint32_t);
	case PIDMEM_TYPE_I8:
		COMPARE(int8_t);
	case PIDMEM_TYPE_I16:
		COMPARE(int16_t);
	case PIDMEM_TYPE_I32:
		COMPARE(int32_t);
	case PIDMEM_TYPE_I64:
		COMPARE(int64_t);
	case PIDMEM_TYPE_F32:
		COMPARE(float);
	case PIDMEM_TYPE_F64:
		COMPARE(double);
	default:
		COMPARE(uint64_t);
	}
}
