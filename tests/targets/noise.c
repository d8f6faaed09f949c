/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* noise MIB: that much memory that nothing can compress. */
#include "victim.h"

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * MIB;
	uint64_t *region = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < size / sizeof(*region); i++) { /* xorshift64 */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		region[i] = state;
	}
	fact("region", region);
	fact_number("size", (long)size);
	return ready();
}
