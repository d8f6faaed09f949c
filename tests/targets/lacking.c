/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a forked copy has not, or not frozen: MADV_DONTFORK, MADV_WIPEONFORK (each with 4 pages, of which the third was
 * never touched, in one case without the right to read), shared memory, small and large, and a region that is not to be
 * in cores. A line on standard input changes the first byte of each to '!'.
 */
#include "victim.h"

#define PAGES 4

static char *regions[16];
static size_t count;

static char *region(const char *key, unsigned seed, int flags, int advice, size_t pages)
{
	char *start = map_apart(pages * PAGE, PROT_READ | PROT_WRITE, flags, -1);

	fill(start, 2, seed);
	fill(start + (pages - 1) * PAGE, 1, seed);
	if (advice && madvise(start, pages * PAGE, advice))
		skip(key);
	fact(key, start);
	regions[count++] = start;
	return start;
}

int main(void)
{
	char *hidden, line[16];

	region("dontfork", 50, MAP_PRIVATE, MADV_DONTFORK, PAGES);
	region("wipeonfork", 51, MAP_PRIVATE, MADV_WIPEONFORK, PAGES);
	region("shared", 52, MAP_SHARED, 0, PAGES);
	region("large", 53, MAP_SHARED, 0, 16 * MIB / PAGE);
	region("dontdump", 54, MAP_PRIVATE, MADV_DONTDUMP, PAGES);
	region("shared_dontfork", 56, MAP_SHARED, MADV_DONTFORK, PAGES);
	region("private", 57, MAP_PRIVATE, 0, PAGES);
	/* Many TiB that no copy has: what is saved of them must follow what was touched. */
	hidden = map_apart(2 * TIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1);
	fill(hidden + TIB, 1, 58);
	if (madvise(hidden, 2 * TIB, MADV_DONTFORK))
		skip("MADV_DONTFORK");
	fact("vast", hidden);
	hidden = map_apart(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(hidden, 2, 55);
	if (madvise(hidden, PAGES * PAGE, MADV_DONTFORK) || mprotect(hidden, PAGES * PAGE, PROT_NONE))
		skip("MADV_DONTFORK");
	fact("none", hidden);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		for (size_t i = 0; i < count; i++)
			*regions[i] = '!';
		puts("changed");
		fflush(stdout);
	}
	return 0;
}
