/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* noaccess FILE: data behind PROT_NONE, private and shared, and mappings that may be written but not read. */
#include "victim.h"

static char *hide(const char *name, int flags, int fd, int prot, unsigned seed)
{
	char *region = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, flags, fd);

	fill(region, 2, seed);
	if (mprotect(region, 4 * PAGE, prot))
		die("mprotect");
	fact(name, region);
	return region;
}

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd < 0 || ftruncate(fd, 4 * PAGE))
		die("open");
	hide("private_none", MAP_PRIVATE, -1, PROT_NONE, 10);
	hide("private_write", MAP_PRIVATE, -1, PROT_WRITE, 11);
	hide("shared_none", MAP_SHARED, -1, PROT_NONE, 12);
	hide("shared_write", MAP_SHARED, -1, PROT_WRITE, 13);
	hide("file_none", MAP_SHARED, fd, PROT_NONE, 14);
	fact("never", map_apart(4 * PAGE, PROT_NONE, MAP_PRIVATE, -1));
	return ready();
}
