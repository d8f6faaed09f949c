/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * resident MIB [small|huge [KIND]]: so much private memory in 4 KiB or huge pages, until standard input ends. KIND is
 * what is in it:
 *   words    every word different (the default)      random  nothing that can be compressed
 *   text     what looks like text                    half    text, and a MiB of zeros after each MiB of it
 *   sevens   the number 7, in 32 bits
 *   touched  nothing but 50 MB of text at the begin: the rest is reserved, and was never touched
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1UL << 20)
#define WORDS 4096

static uint64_t state = 88172645463325252;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void fill_words(char *region, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = (at + 1) * 0x9e3779b97f4a7c15;
		memcpy(region + at, &word, sizeof word);
	}
}

static void fill_sevens(char *region, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(uint32_t)) {
		uint32_t seven = 7;
		memcpy(region + at, &seven, sizeof seven);
	}
}

static void fill_random(char *region, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = next_random();
		memcpy(region + at, &word, sizeof word);
	}
}

/* Words of which some are far more frequent than others, as in a language. */
static void fill_text(char *region, size_t size)
{
	static char words[WORDS][12];

	for (size_t i = 0; !words[0][0] && i < WORDS; i++)
		for (size_t length = 2 + next_random() % 8, at = 0; at < length; at++)
			words[WORDS - 1 - i][at] = "etaoinshrdlucmfwyp"[next_random() % 18];
	for (size_t at = 0; at < size;) {
		double part = (double)(next_random() % 65536) / 65536;
		const char *word = words[(size_t)(part * part * part * WORDS)];
		size_t length = strnlen(word, size - at - 1);
		memcpy(region + at, word, length);
		region[at + length] = ' ';
		at += length + 1;
	}
}

static void fill(char *region, size_t size, const char *kind)
{
	if (!strcmp(kind, "random"))
		fill_random(region, size);
	else if (!strcmp(kind, "text"))
		fill_text(region, size);
	else if (!strcmp(kind, "sevens"))
		fill_sevens(region, size);
	else if (!strcmp(kind, "touched"))
		fill_text(region, 50000000);
	else if (strcmp(kind, "half") != 0)
		fill_words(region, size);
	for (size_t at = 0; !strcmp(kind, "half") && at + 2 * MIB <= size; at += 2 * MIB) {
		fill_text(region + at, MIB);
		memset(region + at + MIB, 0, MIB);
	}
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;
	int advice = argc > 2 && !strcmp(argv[2], "huge") ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	char *region = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
	char byte;

	if (size == 0 || region == MAP_FAILED) {
		fprintf(stderr, "usage: %s MIB [small|huge [KIND]]\n", *argv);
		return 2;
	}
	madvise(region, size, advice);
	fill(region, size, argc > 3 ? argv[3] : "words");
	printf("region=0x%lx\nready\n", (unsigned long)region);
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) < 0;
}
