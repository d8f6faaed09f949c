/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/smaps: as a whole, and the input as the lines of one region. */
#include "check_maps.h"

static const char region[] = "7f0000000000-7f0000004000 rw-p 00000000 00:00 0 \n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_maps(data, size);

	size_t length = sizeof region - 1;
	uint8_t *text = malloc(length + size);
	MUST(text);
	memcpy(text, region, length);
	if (size)
		memcpy(text + length, data, size);
	check_maps(text, length + size);
	free(text);
	return 0;
}
