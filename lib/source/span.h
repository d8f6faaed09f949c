/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is often asked of spans, and done to them. */
#ifndef SOURCE_SPAN_H
#define SOURCE_SPAN_H

#include <stdbool.h>

#include "pidmem.h"

/* Its bytes are known: content, or zeros. */
static inline bool span_is_known(const struct pidmem_span *span)
{
	return span->class_ == PIDMEM_READ || span->class_ == PIDMEM_ZERO;
}

/* Leave out its first bytes: what is left of it. */
static inline void span_skip(struct pidmem_span *span, uint64_t size)
{
	span->start += size;
	span->size -= size;
	if (span->bytes)
		span->bytes += size;
}

#endif
