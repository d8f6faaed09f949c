/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes and times as people say them; numbers as people write them. */
#ifndef UI_SIZE_H
#define UI_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct size_text {
	char text[24];
};

/* "132 KiB", "1.9 GiB"; at most 10 bytes are put at `at`, the end is returned. */
char *put_size(char *at, uint64_t bytes);
/* The same as a string. */
struct size_text size_text(uint64_t bytes);
/* "11.4 ms", "1.1 s", "3 min 20 s". */
struct size_text time_text(uint64_t microseconds);

/* A number of bytes: decimal, 0x hex, or decimal with K, M, G, T (1024, ...). False if it is none or too large. */
bool size_parse(const char *text, uint64_t *bytes);

#endif
