/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "near.h"

#include <stdint.h>
#include <string.h>

#define LONGEST_NAME 32

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein; one row of the matrix is enough. */
static size_t edit_distance(const char *a, const char *b, size_t length)
{
	size_t row[LONGEST_NAME + 1];

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t above = row[j + 1];

			row[j + 1] = least(least(above, row[j]) + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[length];
}

size_t near_distance(const char *wrong, const char *name)
{
	size_t length = strlen(name), shorter = least(strlen(wrong), length), distance;

	if (length > LONGEST_NAME || strlen(wrong) > LONGEST_NAME || shorter < 2)
		return SIZE_MAX;
	distance = edit_distance(wrong, name, length);
	/* One slip in a short word; further away than two it is another word. */
	return distance <= (shorter < 4 ? 1 : 2) ? distance : SIZE_MAX;
}
