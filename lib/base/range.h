/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking up addresses in arrays of ranges. */
#ifndef BASE_RANGE_H
#define BASE_RANGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The index of the first item whose last byte is at or above an address; `count` if there is none. Items are `stride`
 * bytes apart and in address order, and each begins with its start and size: { uint64_t start, size; ... }.
 */
size_t range_find_next(const void *items, size_t count, size_t stride, uint64_t address);

#endif
