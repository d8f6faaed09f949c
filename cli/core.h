/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Core files, as the commands core and gcore write them. */
#ifndef CLI_CORE_H
#define CLI_CORE_H

#include "saving.h"

struct core_wish {
	const char *output; /* a file, or "-"; with `numbered` what stands before ".PID" */
	bool numbered;
	bool force, all, tree;
	unsigned filter;
};

/* Write a core of each operand. 0, or EXIT_FAILED after a message. */
int core_save(struct saving *saving, const struct invocation *invocation, const struct core_wish *wish);

#endif
