/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making literals. */
#ifndef FIND_LITERAL_H
#define FIND_LITERAL_H

#include "base/buffer.h"
#include "find/pattern.h"

/* Take bytes and masks of the same size out of their buffers. Returns 0. */
int literal_take(struct pattern *pattern, struct buffer *value, struct buffer *mask);

#endif
