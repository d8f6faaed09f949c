/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* resident MIB [huge]: so much private memory, every word different, in 4 KiB or huge pages; until standard input ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	int advice = argc > 2 && !strcmp(argv[2], "huge") ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
	char *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char byte;

	if (size == 0 || region == MAP_FAILED) {
		fprintf(stderr, "usage: %s MIB [huge]\n", *argv);
		return 2;
	}
	madvise(region, size, advice);
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = (at + 1) * 0x9e3779b97f4a7c15;
		memcpy(region + at, &word, sizeof word);
	}
	printf("region=0x%lx\nready\n", (unsigned long)region);
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) < 0;
}
