/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * layout FILE: a window of 64 pages whose layout the test commands, a line each, answered by `ok` or `no`:
 *   map PAGE COUNT anon|shared|file|sharedfile    fill PAGE COUNT SEED    zero PAGE COUNT
 *   guard PAGE COUNT    drop PAGE COUNT    protect PAGE COUNT PROT    unmap PAGE COUNT
 */
#include "victim.h"

#define WINDOW 64UL

static char *window;
static int file;

static int map_kind(char *at, size_t size, const char *kind)
{
	int is_file = !strcmp(kind, "file") || !strcmp(kind, "sharedfile");
	int flags = strncmp(kind, "shared", 6) ? MAP_PRIVATE : MAP_SHARED;

	return mmap(at, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED | (is_file ? 0 : MAP_ANONYMOUS),
		    is_file ? file : -1, is_file ? at - window : 0) == MAP_FAILED;
}

/* Returns 0 if it was done. */
static int obey(const char *verb, size_t page, size_t count, const char *last)
{
	char *at = window + page * PAGE;
	size_t size = count * PAGE;

	if (!count || page >= WINDOW || count > WINDOW - page)
		return 1;
	if (!strcmp(verb, "map"))
		return map_kind(at, size, last);
	if (!strcmp(verb, "guard"))
		return madvise(at, size, MADV_GUARD_INSTALL);
	if (!strcmp(verb, "drop"))
		return madvise(at, size, MADV_DONTNEED);
	if (!strcmp(verb, "protect"))
		return mprotect(at, size, atoi(last));
	if (!strcmp(verb, "unmap"))
		return munmap(at, size);
	if (!strcmp(verb, "fill"))
		fill(at, count, (unsigned)atoi(last));
	else if (!strcmp(verb, "zero"))
		memset(at, 0, size);
	else
		return 1;
	return 0;
}

int main(int argc, char **argv)
{
	char line[128], verb[16], last[16];
	char *page = malloc(WINDOW * PAGE);
	size_t first, count;

	file = argc > 1 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600) : -1;
	if (file < 0 || !page)
		die("open");
	fill(page, WINDOW, 99);
	if (write(file, page, WINDOW * PAGE) != (ssize_t)(WINDOW * PAGE))
		die("write");
	free(page);
	window = map_apart(WINDOW * PAGE, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);
	fact("window", window);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		last[0] = 0;
		if (sscanf(line, "%15s %zu %zu %15s", verb, &first, &count, last) < 3)
			die("command");
		puts(obey(verb, first, count, last) ? "no" : "ok");
		fflush(stdout);
	}
	return 0;
}
