/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of unknown encoding, as they occur in paths and names of processes, made fit for a terminal line: control
 * characters as in maps (\012), what is not UTF-8 as \xHH, and so are characters that turn the direction of the line.
 */
#ifndef UI_TEXT_H
#define UI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed UTF-8 character at `text`, 0 if there is none. */
size_t utf8_length(const unsigned char *text, size_t size);

/* To standard output; returns how many columns it took, one for each character. */
size_t output_escaped(const char *text, size_t size);

/* The same in at most `room` columns, of which there are two at least. Of what is too long the end is shown: of paths
 * that tells more than the root. */
size_t output_end(const char *text, size_t size, size_t room);

/* Into a string of at most `room` bytes with its NUL, cut where it is full. */
void text_escape(char *to, size_t room, const char *text, size_t size);

#endif
