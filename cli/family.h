/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descendants of processes, but not pidmem itself: for what the library does not look up. */
#ifndef CLI_FAMILY_H
#define CLI_FAMILY_H

#include "pidmem.h"

struct family {
	struct pidmem_descendant *items; /* parents before their children */
	size_t count;
};

/* All descendants of `roots`, but not the process `without` and its own. 0, or EXIT_FAILED after a message; free it
 * anyway. */
int family_find(const char *proc, const pid_t *roots, size_t root_count, pid_t without, struct family *family);
/* The one of the roots that a descendant comes from. */
pid_t family_root(const struct family *family, pid_t pid);
/* False without memory. */
bool family_add(struct family *family, const struct pidmem_descendant *one);
void family_free(struct family *family);

#define AUTO_FAMILY __attribute__((cleanup(family_free))) struct family

#endif
