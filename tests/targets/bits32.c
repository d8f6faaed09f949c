/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A 32-bit program (gcc -m32): built by the test itself, for not every machine has the compiler. */
#include "victim.h"

int main(void)
{
	char *region = map_apart(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	fill(region, 2, 33);
	fact("region", region);
	return ready();
}
