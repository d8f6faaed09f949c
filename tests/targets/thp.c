/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 8 MiB of which the second huge page is filled, as a transparent huge page where the kernel gives one. */
#include "victim.h"

int main(void)
{
	char *room = map(10 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1);
	char *region = (char *)(((uintptr_t)room + 2 * MIB - 1) & ~(2 * MIB - 1));

	if (madvise(region, 8 * MIB, MADV_HUGEPAGE))
		skip("MADV_HUGEPAGE");
	fill(region + 2 * MIB, 2 * MIB / PAGE, 20);
	memset(region + 3 * MIB, 0, MIB / 2); /* part of a huge page that is all zero */
	fact("region", region);
	return ready();
}
