/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two huge pages private and two shared; the first of each is written. */
#include "victim.h"

#define HUGE (2 * MIB)

static char *huge(const char *name, int flags, unsigned seed)
{
	char *region = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (region == MAP_FAILED)
		skip("MAP_HUGETLB");
	fill(region, HUGE / PAGE, seed);
	fact(name, region);
	return region;
}

int main(void)
{
	huge("private", MAP_PRIVATE, 8);
	huge("shared", MAP_SHARED, 9);
	return ready();
}
