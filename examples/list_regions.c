/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list_regions - what is mapped in a process, and how much of it is in memory */
#include <err.h>
#include <inttypes.h>
#include <pidmem.h>
#include <stdio.h>
#include <stdlib.h>

static void print_region(const struct pidmem_region *region)
{
	/* Start and size, not start and end: the end of the last region can be 2^64. */
	printf("%016" PRIx64 " %10" PRIu64 " kB %10" PRIu64 " kB resident  %c%c%c%c  %-6s  ", region->start,
	       region->size / 1024, region->resident / 1024, region->perms & PIDMEM_PERM_READ ? 'r' : '-',
	       region->perms & PIDMEM_PERM_WRITE ? 'w' : '-', region->perms & PIDMEM_PERM_EXEC ? 'x' : '-',
	       region->perms & PIDMEM_PERM_SHARED ? 's' : 'p', pidmem_kind_name(region->kind));
	/* A path is bytes and may hold anything, control characters too: a program for people would escape them. */
	fwrite(region->path, 1, region->path_size, stdout);
	puts(region->deleted ? " (deleted)" : "");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: list_regions PID");

	struct pidmem_error error;
	struct pidmem_process *process;
	struct pidmem_maps *maps;
	if (pidmem_process_open((pid_t)strtol(argv[1], NULL, 10), NULL, &error, &process) < 0 ||
	    pidmem_maps_read(process, PIDMEM_MAPS_RESIDENCE, &error, &maps) < 0) {
		warnx("%s", error.text);
		if (error.hint[0])
			fprintf(stderr, "hint: %s\n", error.hint);
		return 2;
	}

	for (size_t i = 0; i < pidmem_maps_count(maps); i++)
		print_region(pidmem_maps_get(maps, i));

	pidmem_maps_free(maps);
	pidmem_process_close(process);
	return 0;
}
