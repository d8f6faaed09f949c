/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * secrets FILE: eight secrets where readers of memory lose them: behind and before guard pages, behind the end of
 * a truncated file, in PROT_NONE, in a deleted memfd, in the heap, over a border, and in the last page of a region.
 */
#include "victim.h"

static int count;

static void plant(char *at)
{
	char key[16];

	snprintf(at, 32, "planted-%08x-secret", 0x5ec0de00 + ++count);
	snprintf(key, sizeof(key), "secret%d", count);
	fact(key, at);
}

int main(int argc, char **argv)
{
	int file = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
	int memfd = memfd_create("vanished", MFD_CLOEXEC);
	char *guarded = map_apart(64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), *mapped, *border, *none, *shared;

	if (file < 0 || memfd < 0 || ftruncate(file, 4 * PAGE) || ftruncate(memfd, 64 * PAGE))
		die("files");
	plant(guarded + 3 * PAGE);
	plant(guarded + 40 * PAGE + 5);
	plant(guarded + 63 * PAGE);
	if (madvise(guarded, PAGE, MADV_GUARD_INSTALL) || madvise(guarded + 20 * PAGE, 8 * PAGE, MADV_GUARD_INSTALL))
		fact_number("unguarded", 1);
	mapped = map_apart(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file);
	plant(mapped + PAGE - 100);
	if (ftruncate(file, PAGE))
		die("ftruncate");
	none = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	plant(none + 2 * PAGE);
	mprotect(none, 4 * PAGE, PROT_NONE);
	shared = map_apart(64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd);
	plant(shared + 33 * PAGE);
	close(memfd);
	border = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	plant(border + 2 * PAGE - 13);
	mprotect(border + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_EXEC);
	plant(malloc(64));
	return ready();
}
