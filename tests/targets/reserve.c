/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 20 TiB reserved, as sanitizers, Go and Java do, with a page written at the start, in the middle and at the end. */
#include "victim.h"

int main(void)
{
	char *region = map_apart(20 * TIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1);

	fill(region, 1, 30);
	fill(region + 10 * TIB, 1, 31);
	fill(region + 20 * TIB - PAGE, 1, 32);
	fact("region", region);
	fact("none", map_apart(4 * TIB, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1));
	return ready();
}
