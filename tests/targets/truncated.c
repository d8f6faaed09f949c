/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * truncated FILE: a file of 4 pages mapped shared and private, half of it looked at, one private page written;
 * then cut off after page 1 and 100 bytes. One more mapping of it is never touched.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
	char *page = malloc(4 * PAGE), *shared, *private, *untouched;

	if (fd < 0 || !page)
		die("open");
	fill(page, 4, 3);
	if (write(fd, page, 4 * PAGE) != 4 * PAGE)
		die("write");
	shared = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	private = map_apart(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	untouched = map_apart(4 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	for (int i = 0; i < 4; i++)
		page[0] ^= ((volatile char *)shared)[i * PAGE] ^ ((volatile char *)private)[i * PAGE];
	strcpy(private + 16, "written before the cut");
	if (ftruncate(fd, PAGE + 100))
		die("ftruncate");
	strcpy(shared + PAGE + 200, "behind the end of the file, within its page");
	fact("shared", shared);
	fact("private", private);
	fact("untouched", untouched);
	return ready();
}
