/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all victims share. A victim puts known bytes into its memory, prints where they are as `key=value`
 * lines, then `ready`, and does nothing until its standard input ends. What this kernel refuses is told as
 * `skip=reason`, so that the test can say so.
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define MIB (1UL << 20)
#define GIB (1UL << 30)
#define TIB (1UL << 40)

/* Linux 6.13; Debian 12's headers do not have it yet. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

__attribute__((noreturn)) static inline void die(const char *what)
{
	printf("error=%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Leave because this machine cannot pose the case. */
__attribute__((noreturn, unused)) static inline void skip(const char *what)
{
	printf("skip=%s: %s\n", what, strerror(errno));
	exit(0);
}

static inline void fact(const char *key, const volatile void *address)
{
	printf("%s=0x%lx\n", key, (unsigned long)address);
}

static inline void fact_number(const char *key, long value)
{
	printf("%s=%ld\n", key, value);
}

/* Fill pages with bytes that the test can work out: a stamp of seed and page number, then a sawtooth. */
static inline void fill(void *at, size_t pages, unsigned seed)
{
	unsigned char *byte = at;

	for (size_t page = 0; page < pages; page++, byte += PAGE) {
		char stamp[32];

		snprintf(stamp, sizeof(stamp), "%04x:%010zx\n", seed & 0xffff, page);
		memcpy(byte, stamp, 16);
		for (size_t i = 16; i < PAGE; i++)
			byte[i] = (unsigned char)(i * 7 + seed + 1);
	}
}

static inline void *map_at(void *at, size_t size, int prot, int flags, int fd)
{
	void *address = mmap(at, size, prot, flags | (fd < 0 ? MAP_ANONYMOUS : 0) | (at ? MAP_FIXED : 0), fd, 0);

	if (address == MAP_FAILED)
		die("mmap");
	return address;
}

static inline void *map(size_t size, int prot, int flags, int fd)
{
	return map_at(NULL, size, prot, flags, fd);
}

/*
 * Map with a gap on both sides, so that the kernel merges the region with no neighbour and the test knows
 * its borders.
 */
static inline void *map_apart(size_t size, int prot, int flags, int fd)
{
	char *room = map(size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, -1);

	map_at(room + PAGE, size, prot, flags, fd);
	munmap(room, PAGE);
	munmap(room + PAGE + size, PAGE);
	return room + PAGE;
}

/* Everything is in place: say so, and wait for the end of the input. */
static inline int ready(void)
{
	char byte;
	ssize_t got;

	puts("ready");
	fflush(stdout);
	while ((got = read(STDIN_FILENO, &byte, 1)) > 0)
		;
	return got ? 1 : 0; /* EINTR: something disturbed it */
}

#endif
