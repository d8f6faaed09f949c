/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of /proc/PID/status and /proc/PID/stat. */
#include "fuzz.h"
#include "process/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process_status status;
	if (status_parse((const char *)data, size, &status) == 0) {
		MUST(memchr(status.name, '\0', sizeof status.name));
		MUST(status.state);
	}

	struct process_stat stat;
	if (stat_parse((const char *)data, size, &stat) == 0) {
		MUST(memchr(stat.name, '\0', sizeof stat.name));
		MUST(stat.state);
	}
	return 0;
}
