/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ZERO_H
#define BASE_ZERO_H

#include <stdbool.h>
#include <stddef.h>

/* Is every byte zero? True for none. */
bool is_zero(const unsigned char *bytes, size_t size);

#endif
