/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of /proc/PID/task/TID/syscall, and the bytes of /proc/PID/auxv. */
#include "fuzz.h"
#include "process/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	uint64_t pc, sp;
	bool is_64;

	task_place_parse(text, &pc, &sp);
	free(text);
	size_t found = auxv_parse(data, size, &is_64);
	MUST(found <= size);
	MUST(found == 0 || found % (is_64 ? 16 : 8) == 0);
	return 0;
}
