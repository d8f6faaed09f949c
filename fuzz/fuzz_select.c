/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people write: selections (-R) and addresses (NAME+OFFSET). */
#include "fuzz.h"
#include "pidmem.h"

static const char text[] = "555555554000-555555556000 r-xp 00001000 08:01 42 /usr/bin/a program\n"
			   "555555556000-555555577000 rw-p 00000000 00:00 0 [heap]\n"
			   "7ffff7dd0000-7ffff7f00000 r--p 00000000 08:01 43 /usr/lib/libc.so.6\n"
			   "7ffff7f00000-7ffff7f01000 rw-s 00000000 00:05 44 /memfd:x+1 (deleted)\n"
			   "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";

static void check_select(const struct pidmem_maps *maps, const char *term)
{
	struct pidmem_select *select;
	MUST(pidmem_select_new(NULL, &select) >= 0);
	struct pidmem_error error = { 0 };

	if (pidmem_select_add(select, term, &error) < 0) {
		MUST(error.code != PIDMEM_OK && error.text[0]);
		pidmem_select_free(select);
		return;
	}
	for (size_t i = 0; i < pidmem_maps_count(maps); i++) {
		const struct pidmem_region *region = pidmem_maps_get(maps, i);
		uint64_t run, done = 0;
		/* The runs of a region lead exactly to its end. */
		while (done < region->size) {
			pidmem_select_test(select, region, region->start + done, &run);
			MUST(run > 0 && run <= region->size - done);
			done += run;
		}
	}
	pidmem_select_free(select);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pidmem_maps *maps;
	MUST(pidmem_maps_parse(text, sizeof text - 1, NULL, &maps) >= 0);
	char *input = text_of(data, size);
	struct pidmem_error error = { 0 };
	uint64_t address;

	if (pidmem_maps_resolve(maps, input, &error, &address) < 0)
		MUST(error.code != PIDMEM_OK && error.text[0]);
	check_select(maps, input);
	free(input);
	pidmem_maps_free(maps);
	return 0;
}
