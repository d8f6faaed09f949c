/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dumpable FOLDER: one mapping for each way through the kernel's rules of what belongs into a core file
 * (vma_dump_size() in fs/coredump.c). Files are made in FOLDER.
 */
#include "victim.h"

#define SIZE (4 * PAGE)

/* A file of 4 pages, which begins with `magic`. */
static int make(const char *name, mode_t mode, const char *magic)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *pages = malloc(SIZE);

	if (fd < 0 || !pages)
		die(name);
	fill(pages, 4, 60);
	memcpy(pages, magic, strlen(magic));
	if (write(fd, pages, SIZE) != (ssize_t)SIZE || fchmod(fd, mode))
		die(name);
	free(pages);
	return fd;
}

static char *file(const char *key, const char *name, mode_t mode, const char *magic, int prot, int flags)
{
	int fd = make(name, mode, magic);
	char *region = map_apart(SIZE, prot, flags, fd);

	close(fd);
	fact(key, region);
	return region;
}

static void private_files(void)
{
	file("plain_file", "plain", 0600, "text", PROT_READ, MAP_PRIVATE);
	file("library", "library", 0600, "\177ELF", PROT_READ | PROT_EXEC, MAP_PRIVATE);
	file("script", "script", 0700, "#!/bin/sh", PROT_READ, MAP_PRIVATE);
	file("for_others", "others", 0601, "any", PROT_READ, MAP_PRIVATE);
	file("writable_program", "program", 0700, "\177ELF", PROT_READ | PROT_WRITE, MAP_PRIVATE);
	file("unreadable_program", "secret", 0700, "\177ELF", PROT_NONE, MAP_PRIVATE);
	file("written_file", "written", 0600, "text", PROT_READ | PROT_WRITE, MAP_PRIVATE)[PAGE] = 1;
	file("gone_library", "gone", 0600, "\177ELF", PROT_READ, MAP_PRIVATE);
	if (unlink("gone"))
		die("unlink");
}

static void shared_files(void)
{
	file("shared_file", "shared", 0600, "s", PROT_READ | PROT_WRITE, MAP_SHARED)[PAGE] = 1;
	file("shared_program", "shared-program", 0700, "\177ELF", PROT_READ, MAP_SHARED);
	file("shared_gone", "shared-gone", 0600, "s", PROT_READ | PROT_WRITE, MAP_SHARED)[PAGE] = 1;
	file("shared_linked", "shared-linked", 0600, "s", PROT_READ | PROT_WRITE, MAP_SHARED);
	/* The name that it was mapped by is gone, but another one is left. */
	if (link("shared-linked", "other-name") || unlink("shared-linked") || unlink("shared-gone"))
		die("link");
	char *memory = map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	memory[PAGE] = 1;
	fact("shared_anonymous", memory);
	fact("shared_untouched", map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, -1));
}

static char *anonymous(const char *key)
{
	char *region = map_apart(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);

	fact(key, region);
	return region;
}

static void private_memory(void)
{
	char *region;

	fill(anonymous("written"), 4, 61);
	anonymous("untouched");
	region = anonymous("only_read");
	if (((volatile char *)region)[PAGE])
		die("not zero");
	region = anonymous("left_out");
	fill(region, 4, 62);
	if (madvise(region, SIZE, MADV_DONTDUMP))
		die("MADV_DONTDUMP");
	region = anonymous("forbidden");
	fill(region, 4, 63);
	if (mprotect(region, SIZE, PROT_NONE))
		die("mprotect");
	region = anonymous("not_copied");
	fill(region, 4, 64);
	if (madvise(region, SIZE, MADV_DONTFORK))
		die("MADV_DONTFORK");
	region = anonymous("wiped");
	fill(region, 4, 65);
	if (madvise(region, SIZE, MADV_WIPEONFORK))
		die("MADV_WIPEONFORK");
}

/* Huge pages, where the machine has some free. */
static void huge(void)
{
	size_t size = 2 * MIB;
	char *one = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	char *two = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (one != MAP_FAILED)
		fill(one, 2, 66);
	if (two != MAP_FAILED)
		fill(two, 2, 67);
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]))
		die("dumpable FOLDER");
	private_files();
	shared_files();
	private_memory();
	huge();
	return ready();
}
