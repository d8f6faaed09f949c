/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * thp [MIB]: 8 MiB of which the second huge page is filled, as a transparent huge page where the kernel gives one. MIB
 * more, all filled, that begin within a huge page, as what malloc(3) maps does.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	size_t more = argc > 1 ? strtoul(argv[1], NULL, 10) * MIB : 0;
	char *room = map(10 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1);
	char *region = (char *)(((uintptr_t)room + 2 * MIB - 1) & ~(2 * MIB - 1));

	if (madvise(region, 8 * MIB, MADV_HUGEPAGE))
		skip("MADV_HUGEPAGE");
	fill(region + 2 * MIB, 2 * MIB / PAGE, 20);
	memset(region + 3 * MIB, 0, MIB / 2); /* part of a huge page that is all zero */
	if (more) {
		char *large = map(more + 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);
		large = (char *)(((uintptr_t)large + 2 * MIB - 1) & ~(2 * MIB - 1)) + PAGE;
		if (mprotect(large, more, PROT_READ | PROT_WRITE) || madvise(large, more, MADV_HUGEPAGE))
			die("mprotect");
		fill(large, more / PAGE, 21);
	}
	fact("region", region);
	return ready();
}
