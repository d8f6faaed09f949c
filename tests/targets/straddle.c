/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One secret over the border of two adjacent regions, and one over a border to nothing. */
#include "victim.h"

int main(void)
{
	char *region = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	char *secret = region + 2 * PAGE - 10;

	fill(region, 4, 4);
	strcpy(secret, "over-the-border-of-two-regions");
	strcpy(region + 4 * PAGE - 12, "last bytes!");
	if (mprotect(region + 2 * PAGE, 2 * PAGE, PROT_READ))
		die("mprotect");
	fact("region", region);
	fact("secret", secret);
	return ready();
}
