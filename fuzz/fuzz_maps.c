/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/maps. */
#include "check_maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_maps(data, size);
	return 0;
}
