/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* copy MIB: the bandwidth of one thread's memcpy() between two areas of that size, in bytes a second. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	char *from = size ? malloc(size) : NULL, *to = size ? malloc(size) : NULL;

	if (!from || !to) {
		fprintf(stderr, "usage: %s MIB\n", *argv);
		return 2;
	}
	memset(from, 1, size);
	memset(to, 2, size);
	double begun = seconds();
	memcpy(to, from, size);
	double taken = seconds() - begun;
	__asm__ volatile("" : : "r"(to) : "memory"); /* the copy counts */
	printf("%.0f\n", (double)size / taken);
	free(from);
	free(to);
	return 0;
}
