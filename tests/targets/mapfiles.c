/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mapfiles PATH...: maps one page of each, private; those after `--delete` are unlinked afterwards, and those after
 * `--dontfork` are read once and not part of a forked copy.
 */
#include "victim.h"

int main(int argc, char **argv)
{
	int delete = 0, dontfork = 0;

	for (int i = 1; i < argc; i++) {
		char name[16];
		int fd;

		if (!strcmp(argv[i], "--delete")) {
			delete = 1;
			continue;
		}
		if (!strcmp(argv[i], "--dontfork")) {
			dontfork = 1;
			continue;
		}
		fd = open(argv[i], O_RDONLY);
		if (fd < 0)
			die("open");
		snprintf(name, sizeof(name), "file%d", i - delete - dontfork);
		char *page = map_apart(PAGE, PROT_READ, MAP_PRIVATE, fd);
		fact(name, page);
		if (dontfork && (*(volatile char *)page < 0 || madvise(page, PAGE, MADV_DONTFORK)))
			die("MADV_DONTFORK");
		close(fd);
		if (delete &&unlink(argv[i]))
			die("unlink");
	}
	return ready();
}
