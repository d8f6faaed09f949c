/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* noise MIB [KIB]: that much memory that nothing can compress; or every other piece of so many KiB, and zeros between.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * MIB;
	size_t piece = (argc > 2 ? strtoul(argv[2], NULL, 10) << 10 : 2 * size) / sizeof(uint64_t);
	uint64_t *region = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < size / sizeof(*region); i++) { /* xorshift64 */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		region[i] = i / piece % 2 ? 0 : state;
	}
	fact("region", region);
	fact_number("size", (long)size);
	return ready();
}
