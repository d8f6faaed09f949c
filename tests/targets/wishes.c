/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wishes FILE dump|protect MIB: 64 pages of a file, mapped private and written to, that a thread takes out of cores
 * (MADV_DONTDUMP) and puts in again, or protects and unprotects, all the time; and so much other memory.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "victim.h"

#define PAGES 64

static char *pages;
static bool by_protection;

static int set(bool wanted)
{
	if (by_protection)
		return mprotect(pages, PAGES * PAGE, wanted ? PROT_READ | PROT_WRITE : PROT_READ);
	return madvise(pages, PAGES * PAGE, wanted ? MADV_DODUMP : MADV_DONTDUMP);
}

static void *change(void *unused)
{
	for (bool wanted = false; set(wanted) == 0; wanted = !wanted)
		sched_yield();
	return unused;
}

int main(int argc, char **argv)
{
	size_t other = argc > 3 ? strtoul(argv[3], NULL, 10) * MIB : 0;
	int fd = argc > 3 ? open(argv[1], O_RDWR | O_CREAT, 0600) : -1;
	pthread_t thread;

	if (fd < 0 || ftruncate(fd, PAGES * PAGE))
		die("file");
	by_protection = !strcmp(argv[2], "protect");
	memset(map_apart(other, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1), 1, other);
	pages = map_apart(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	fill(pages, PAGES, 77);
	fact("pages", pages);
	if (pthread_create(&thread, NULL, change, NULL))
		die("thread");
	return ready();
}
