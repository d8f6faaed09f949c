/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files hold what the core leaves out, for format/origins.h. */
#ifndef SAVE_CORE_ORIGINS_H
#define SAVE_CORE_ORIGINS_H

#include "base/buffer.h"
#include "save/core_plan.h"

struct pidmem_source;

/* Append the table: 0, -ENOMEM, or -EIO if that of a core that is converted cannot be read. */
int core_origins_add(struct buffer *out, struct pidmem_source *source, const struct core_plan *plan);

#endif
