/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared anonymous memory that the parent wrote and the child, which the test reads, never touched. */
#include "victim.h"

int main(void)
{
	char *shared = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	int life[2];
	pid_t child;

	if (pipe(life))
		die("pipe");
	fflush(stdout);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		char byte;

		close(life[1]); /* ends with the parent */
		_exit(read(life[0], &byte, 1) != 0);
	}
	fill(shared + PAGE, 2, 7);
	fact("shared", shared);
	fact_number("child", child);
	return ready();
}
