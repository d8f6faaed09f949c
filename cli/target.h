/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TARGET: what the user wants to look at. Only digits are a PID, `self` is pidmem, anything else is a path. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "command.h"

/* The PID that the text names. 0, or EXIT_FAILED after a message. */
int target_parse(const struct invocation *invocation, const char *text, pid_t *pid);

/* Parse and open. 0, or EXIT_FAILED after a message. */
int target_open(const struct invocation *invocation, const char *text, struct pidmem_process **process);

static inline void cleanup_process(struct pidmem_process **process)
{
	pidmem_process_close(*process);
}

static inline void cleanup_maps(struct pidmem_maps **maps)
{
	pidmem_maps_free(*maps);
}

#define AUTO(kind) __attribute__((cleanup(cleanup_##kind))) struct pidmem_##kind *

#endif
