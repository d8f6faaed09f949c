/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passing over what is no text, 64 bytes at a time. */
#ifndef FIND_STRINGS_H
#define FIND_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

/* The next place from `from` on where a string of `least` characters may begin: there is none before it. It is sought
 * within [from, to), of UTF-16 in steps of two bytes; a place from `to` on says nothing. */
size_t strings_skip(const unsigned char *bytes, size_t size, size_t from, size_t to, size_t least, bool wide);
/* How many bytes from `from` on, in steps of 64, are certainly characters of ASCII. */
size_t strings_ascii(const unsigned char *bytes, size_t size, size_t from);

#endif
