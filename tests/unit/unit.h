/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every cmocka test needs, in the order in which cmocka wants it. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pidmem.h"

#endif
