/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A memfd (shown as deleted) of 2 MiB: page 0 written through the mapping, page 256 written by another process
 * and never seen by this one, all else sparse. The descriptor is closed, unless an argument says to keep it.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	int fd = memfd_create("two  spaces", MFD_CLOEXEC), status;
	char *region, *page = malloc(PAGE);
	pid_t writer;

	(void)argv;
	if (fd < 0 || !page || ftruncate(fd, 2 * MIB))
		die("memfd_create");
	region = map_apart(2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(region, 1, 5);
	writer = fork();
	if (writer == 0) {
		fill(page, 1, 6);
		_exit(pwrite(fd, page, PAGE, 256 * PAGE) != PAGE);
	}
	if (waitpid(writer, &status, 0) != writer || status)
		die("the writer");
	if (argc < 2)
		close(fd);
	fact("region", region);
	return ready();
}
