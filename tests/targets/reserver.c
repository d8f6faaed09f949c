/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An ordinary program for -fsanitize=address, which reserves terabytes for its shadow; some memory in use. */
#include "victim.h"

int main(void)
{
	char **blocks = malloc(1000 * sizeof(*blocks));

	for (int i = 0; i < 1000; i++) {
		blocks[i] = malloc(8000);
		snprintf(blocks[i], 32, "block number %d", i);
	}
	for (int i = 0; i < 1000; i += 3)
		free(blocks[i]);
	fact("block", blocks[1]);
	return ready();
}
