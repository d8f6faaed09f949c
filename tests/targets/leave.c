/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * leave MIB: that much filled memory. A line on standard input makes it go: `exit`, or `exec PROGRAM`. The
 * program gets standard input and output.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) * MIB;
	char *region = map_apart(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), line[512];

	setvbuf(stdin, NULL, _IONBF, 0); /* leave the rest of the input to the program */
	fill(region, size / PAGE, 27);
	fact("region", region);
	fact_number("size", (long)size);
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin) || !strncmp(line, "exit", 4))
		return 0;
	line[strcspn(line, "\n")] = 0;
	if (!strncmp(line, "exec ", 5))
		execl(line + 5, line + 5, (char *)NULL);
	die("exec");
}
