/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mapfiles PATH...: maps one page of each, private; those after `--delete` are unlinked afterwards. */
#include "victim.h"

int main(int argc, char **argv)
{
	int delete = 0;

	for (int i = 1; i < argc; i++) {
		char name[16];
		int fd;

		if (!strcmp(argv[i], "--delete")) {
			delete = 1;
			continue;
		}
		fd = open(argv[i], O_RDONLY);
		if (fd < 0)
			die("open");
		snprintf(name, sizeof(name), "file%d", i - delete);
		fact(name, map_apart(PAGE, PROT_READ, MAP_PRIVATE, fd));
		close(fd);
		if (delete &&unlink(argv[i]))
			die("unlink");
	}
	return ready();
}
