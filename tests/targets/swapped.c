/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 64 pages asked to be swapped out, private and shared; the test looks whether they are. */
#include "victim.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void out(const char *name, int flags, unsigned seed)
{
	char *region = map_apart(64 * PAGE, PROT_READ | PROT_WRITE, flags, -1);

	fill(region, 64, seed);
	if (madvise(region, 64 * PAGE, MADV_PAGEOUT))
		skip("MADV_PAGEOUT (Linux 5.4)");
	fact(name, region);
}

int main(void)
{
	out("private", MAP_PRIVATE, 21);
	out("shared", MAP_SHARED, 22);
	return ready();
}
