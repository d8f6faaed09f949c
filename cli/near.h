/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which name somebody may have meant. */
#ifndef CLI_NEAR_H
#define CLI_NEAR_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How many letters must be added, removed or replaced to make `name` of `wrong`, if that is few enough for a slip:
 * else SIZE_MAX.
 */
size_t near_distance(const char *wrong, const char *name);

#endif
