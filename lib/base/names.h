/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include <stdbool.h>

#include "pidmem.h"

/* Does it tell why there are no bytes? Whoever saves memory can write down only such. */
bool why_is_lack(enum pidmem_why why);

#endif
