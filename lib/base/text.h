/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <string.h>

static inline bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* The same of so many bytes, which need not end with a 0. */
static inline bool bytes_begin(const char *bytes, size_t size, const char *prefix)
{
	return size >= strlen(prefix) && !memcmp(bytes, prefix, strlen(prefix));
}

#endif
