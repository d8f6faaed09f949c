/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guard pages (Linux 6.13) at the head, in the middle and at the end of a plain rw-p region, with data around. */
#include "victim.h"

int main(void)
{
	char *region = map_apart(16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	fill(region, 16, 2);
	if (madvise(region, PAGE, MADV_GUARD_INSTALL))
		skip("MADV_GUARD_INSTALL (Linux 6.13)");
	if (madvise(region + 7 * PAGE, 2 * PAGE, MADV_GUARD_INSTALL) ||
	    madvise(region + 15 * PAGE, PAGE, MADV_GUARD_INSTALL))
		die("madvise");
	fact("region", region);
	return ready();
}
