/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/zero.h"

#include <stdint.h>
#include <string.h>

/* By blocks: ordinary data is recognised in its first bytes, and zeros are compared at full speed. */
bool is_zero(const unsigned char *bytes, size_t size)
{
	uint64_t word;

	while (size >= 64) {
		uint64_t block[8], any = 0;
		memcpy(block, bytes, sizeof block);
		for (size_t i = 0; i < 8; i++)
			any |= block[i];
		if (any)
			return false;
		bytes += 64;
		size -= 64;
	}
	for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
		memcpy(&word, bytes, sizeof word);
		if (word)
			return false;
	}
	while (size--)
		if (*bytes++)
			return false;
	return true;
}
