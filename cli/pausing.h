/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a snapshot is made, and for what the process may stand still: options that core and dump have alike. */
#ifndef CLI_PAUSING_H
#define CLI_PAUSING_H

#include "command.h"

int pausing_take_engine(struct invocation *invocation, const char *argument);
int pausing_take_max_pause(struct invocation *invocation, const char *argument);
int pausing_take_shared(struct invocation *invocation, const char *argument);
int pausing_take_shared_limit(struct invocation *invocation, const char *argument);

/* For the table of a command. */
/* clang-format off */
#define PAUSING_OPTIONS \
	{ 0, "engine", "ENGINE", \
	  "how a snapshot is made: precopy, by copying while it runs and tracking what it writes; clone, a copy by one " \
	  "clone(2); auto: the better one", \
	  .take = pausing_take_engine }, \
	{ 0, "max-pause", "MS", "milliseconds that it may stand still; fails if that cannot be kept", \
	  .take = pausing_take_max_pause }, \
	{ 0, "shared", "WHEN", \
	  "when shared memory is read, which runs on: paused, while the process is stopped; after; auto: paused up to " \
	  "a limit", \
	  .take = pausing_take_shared }, \
	{ 0, "shared-limit", "SIZE", "the limit of --shared=auto (default 4M)", .take = pausing_take_shared_limit }
/* clang-format on */

/* Do they go together, and with --consistency? 0, or EXIT_FAILED after a message. */
int pausing_check(const struct invocation *invocation);
/* Was an engine named? Then it is worth a warning if the other one was used. */
bool pausing_engine_given(void);
/* Was a longest stop given? */
bool pausing_limited(void);
/* Put what was given into the options of the library. */
void pausing_apply(struct pidmem_freeze_options *how);

#endif
