/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private memory that a parent wrote and shares copy-on-write with its child, which the test reads. */
#include "victim.h"

#define SIZE (8 * MIB)

int main(void)
{
	char *shared = map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	int life[2];

	if (pipe(life) || madvise(shared, SIZE, MADV_NOHUGEPAGE))
		die("pipe");
	fill(shared, SIZE / PAGE, 3);
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		char byte;

		close(life[1]); /* ends with the parent */
		_exit(read(life[0], &byte, 1) != 0);
	}
	fact("shared", shared);
	fact_number("child", child);
	return ready();
}
