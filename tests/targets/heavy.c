/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * heavy dense|sparse MIB: `dense` is so much private memory, written over and over when a line says so: each page
 * becomes the process's own again after a copy of it was made. `sparse` touches a page in each 2 MiB of it: the
 * page tables are as large as the memory. Each line is answered by the number of times it was written.
 */
#include "victim.h"

static void touch(char *room, size_t size, size_t step, unsigned long round)
{
	for (size_t at = 0; at < size; at += step)
		*(volatile unsigned long *)(room + at) = round;
}

int main(int argc, char **argv)
{
	size_t step = argc > 1 && !strcmp(argv[1], "sparse") ? 2 * MIB : PAGE;
	size_t size = (argc > 2 ? strtoul(argv[2], NULL, 10) : 16) * MIB;
	char *room = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1), line[16];
	unsigned long round = 1;

	madvise(room, size, MADV_NOHUGEPAGE);
	touch(room, size, step, round);
	fact("region", room);
	fact_number("step", (long)step);
	fact_number("size", (long)size);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		touch(room, size, step, ++round);
		printf("%lu\n", round);
		fflush(stdout);
	}
	return 0;
}
