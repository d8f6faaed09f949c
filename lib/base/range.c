/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/range.h"

size_t range_find_next(const void *items, size_t count, size_t stride, uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint64_t *item = (const void *)((const char *)items + middle * stride);
		if (item[0] + (item[1] - 1) < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
