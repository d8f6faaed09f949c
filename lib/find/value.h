/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of numbers. */
#ifndef FIND_VALUE_H
#define FIND_VALUE_H

#include "find/pattern.h"

/* One more range, behind the others. 0 or -ENOMEM. */
int value_add(struct pattern *pattern, const struct value_range *range);

#endif
