/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structures of pidmem.h that begin with their own size, from callers that were built with another version: as
 * copy_struct_from_user() of the kernel has it. What one side does not know is zero.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "pidmem.h"

/*
 * Take what the caller gave (NULL: nothing) into `known`, of `known_size` bytes. PIDMEM_UNSUPPORTED if it sets what
 * this version does not know, PIDMEM_USAGE if its size cannot be right.
 */
int options_take(void *known, size_t known_size, const void *given, struct pidmem_error *error);

/* Can the caller's structure be filled? To be asked before the work is done; 0, or PIDMEM_USAGE. */
int options_check_room(const void *room, struct pidmem_error *error);

/* Fill as much of the caller's structure as there is room for, zeros behind what this version knows; its size stays. */
void options_give(void *room, const void *filled, size_t filled_size);

#endif
