/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* many COUNT: that many regions of one page each, told apart by their permissions; every 1000th holds its number. */
#include "victim.h"

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 65000;
	char *region = map_apart(count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, -1);

	for (size_t i = 0; i < count; i += 1000)
		snprintf(region + i * PAGE, 32, "region number %zu", i);
	for (size_t i = 1; i < count; i += 2)
		if (mprotect(region + i * PAGE, PAGE, PROT_READ))
			skip("vm.max_map_count");
	fact("region", region);
	return ready();
}
