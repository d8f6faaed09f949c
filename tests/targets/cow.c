/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cow FILE: a file of 16 pages and 100 bytes mapped private. Page 2 is written, page 4 read, page 6 written and
 * dropped again; the tail of the last page is written too. A second mapping of it is never touched.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
	char *page = malloc(17 * PAGE), *region;

	if (fd < 0 || !page)
		die("open");
	fill(page, 17, 23);
	if (write(fd, page, 16 * PAGE + 100) != 16 * PAGE + 100 || fsync(fd))
		die("write");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	region = map_apart(17 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	madvise(region, 17 * PAGE, MADV_RANDOM); /* no fault-around: page tables hold what was touched */
	strcpy(region + 2 * PAGE, "copy on write");
	page[0] = ((volatile char *)region)[4 * PAGE];
	strcpy(region + 6 * PAGE, "written and dropped");
	if (madvise(region + 6 * PAGE, PAGE, MADV_DONTNEED))
		die("madvise");
	strcpy(region + 16 * PAGE + 200, "in the tail");
	fact("region", region);
	fact("untouched", map_apart(17 * PAGE, PROT_READ, MAP_PRIVATE, fd));
	close(fd);
	return ready();
}
